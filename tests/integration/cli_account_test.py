# SPDX-License-Identifier: Apache-2.0
"""cli_account_test.py BUILD: accounts and their owners by the tallycard tool: orders, refunds, lost
cards. Every case: the exit code, a message with cause and remedy, and the books."""
import unittest

from tallycard_world import DONE, REFUSED, CopyCase


class AccountCase(CopyCase):
    def setUp(self):
        super().setUp()
        self.passphrase = ["--passphrase-file", str(self.world.root / "passphrase")]
        self.check(self.world.run("settle"), DONE)  # SHOP-1 has 10.00, and nobody has opened it

    def office(self, *words):
        return self.world.run(*words, *self.passphrase)

    def audit(self):
        return self.check(self.office("ledger", "verify", "--json"), DONE).json()


class Owners(AccountCase):
    def test_an_owner_does_everything_with_the_account(self):
        world = self.world
        self.check(world.account("pay-out", "SHOP-1", "1", "--to", "bank"), REFUSED,
                   "state does not admit")
        claimed = self.check(world.account("open", "SHOP-1", "--json"), DONE).json()
        self.assertEqual((claimed["number"], claimed["outcome"]), (1, "applied"))
        self.check(world.account("open", "SHOP-1"), REFUSED, "open already")
        self.check(self.office("account", "pay-in", "SHOP-1", "5", "--from", "bank",
                               "--reference", "Gutschrift für März"), DONE, "pay in account/SHOP-1 5.00")
        self.check(world.account("pay-out", "SHOP-1", "3", "--to", "bank", "--reference", "IBAN 17"),
                   DONE, "pay out account/SHOP-1 -3.00 EUR: done, order 3")
        self.check(world.account("move", "SHOP-1", "2", "--to", "NOBODY"), REFUSED,
                   "no such account")
        self.check(world.account("open", "SAVINGS", key="other"), DONE)
        self.check(world.account("move", "SHOP-1", "2", "--to", "SAVINGS"), DONE)
        books = world.books()
        self.assertEqual((books["account/SHOP-1"], books["account/SAVINGS"],
                          books["outside/bank"]), (1000, 200, -200))
        self.check(world.account("close", "SHOP-1"), REFUSED, "state does not admit")
        self.check(world.account("pay-out", "SHOP-1", "10.01", "--to", "bank"), REFUSED,
                   "does not hold that much")
        self.check(world.account("pay-out", "SHOP-1", "10", "--to", "bank"), DONE)
        self.check(world.account("close", "SHOP-1"), DONE)
        self.check(world.account("pay-out", "SHOP-1", "1", "--to", "bank"), REFUSED, "closed")
        self.check(world.account("open", "SHOP-1", key="other"), DONE, "order 7")
        self.assertEqual(self.audit()["claims"][0]["account"], "SHOP-1")

    def test_another_key_orders_nothing(self):
        world = self.world
        self.check(world.account("open", "SHOP-1"), DONE)
        before = world.books()
        for words in (["pay-out", "SHOP-1", "1", "--to", "bank"], ["close", "SHOP-1"],
                      ["move", "SHOP-1", "1", "--to", "SHOP-1"]):
            self.check(world.account(*words, key="thief"), REFUSED)
        answer = world.account("pay-out", "SHOP-1", "1", "--to", "bank", key="thief")
        self.check(answer, REFUSED, "signature does not verify")
        self.assertEqual(world.books(), before)

    def test_a_key_is_replaced_and_reset(self):
        world = self.world
        self.check(world.account("open", "SHOP-1"), DONE)
        second = world.account_key("second")
        self.check(world.account("key", "SHOP-1", "--new-key", second), DONE)
        self.check(world.account("pay-out", "SHOP-1", "1", "--to", "bank"), REFUSED, "not verify")
        self.check(world.account("pay-out", "SHOP-1", "1", "--to", "bank", key="second"), DONE)
        self.check(world.account("reset-key", "SHOP-1", key="third"), REFUSED, "--reference")
        self.check(world.account("reset-key", "SHOP-1", "--reference", "key lost", key="third"),
                   DONE)
        self.check(world.account("pay-out", "SHOP-1", "1", "--to", "bank", key="third"), DONE)
        acts = self.audit()["without_the_owner"]
        self.assertEqual([act["kind"] for act in acts], ["reset key"])

    def test_an_order_is_signed_elsewhere_and_given_twice(self):
        world = self.world
        words = ["open", "SHOP-1", "--id", "ab" * 16]
        carried = self.check(world.account(*words, "--sign-only"), DONE).out.split()
        self.check(self.office("account", "submit", *carried), DONE, "order 1")
        self.check(self.office("account", "submit", *carried), DONE, "order 1")
        self.check(world.account(*words), DONE, "order 1")
        self.check(world.account("open", "SHOP-2", "--id", "ab" * 16), DONE, "order 1")
        unsigned = self.check(world.account("close", "SHOP-2", "--sign-only"), DONE).out.split()[0]
        self.check(self.office("account", "submit", unsigned), REFUSED, "owner has to sign")
        self.check(self.office("account", "submit", "zz"), REFUSED, "order .lower-case hex")
        self.check(self.office("account", "submit", carried[0], "00"), REFUSED, "signature")

    def test_what_does_not_read_is_named(self):
        world = self.world
        self.check(world.account("open", "SHOP-1"), DONE)
        for words, name in (
                (["pay-out", "SHOP-1", "1", "--to", "a b"], "name outside"),
                (["pay-out", "SHOP-1", "x", "--to", "bank"], "amount"),
                (["pay-out", "SHOP-1", "-1", "--to", "bank"], "amount"),
                (["pay-out", "S P", "1", "--to", "bank"], "account"),
                (["pay-out", "SHOP-1", "1", "--to", "bank", "--reference", "a\nb"], "--reference"),
                (["pay-out", "SHOP-1", "1", "--to", "bank", "--reference", "x" * 65],
                 "--reference"),
                (["close", "SHOP-1", "--id", "x"], "--id"),
                (["open", "H-" + "0" * 32], "state does not admit"),
                (["open", "unaccounted"], "state does not admit")):
            self.check(world.account(*words), REFUSED, name)
        self.check(self.office("account", "close", "SHOP-1"), REFUSED, "--account-key")
        answer = self.office("account", "close", "SHOP-1", "--account-key",
                             str(world.issuer / "operation.key"))
        self.check(answer, REFUSED, "damaged|key file")
        self.check(self.office("account", "show", "NONE"), REFUSED, "no such account")


class Refunds(AccountCase):
    def setUp(self):
        super().setUp()
        self.check(self.world.account("open", "SHOP-1"), DONE)
        self.card = self.check(self.world.offline("info", "--json"), DONE).json()["card"]

    def refund(self, amount, *words, payment=None, key="shop"):
        return self.world.online("refund", amount, "--from", "SHOP-1", "--payment",
                                 payment or f"{self.card}:2", "--account-key",
                                 self.world.account_key(key), *words)

    def test_a_payment_is_given_back_and_not_twice(self):
        self.check(self.refund("3"), DONE, "transfer in 3.00 EUR from SHOP-1: done; balance 43.00")
        self.check(self.refund("1.01"), REFUSED, "more than was paid")
        self.check(self.refund("1"), DONE, "balance 44.00")
        self.check(self.refund("0.01"), REFUSED, "more than was paid")
        self.check(self.refund("6", payment=f"{self.card}:3"), DONE, "balance 50.00")
        self.assertEqual(self.world.books()["account/SHOP-1"], 0)
        self.audit()

    def test_nobody_else_refunds(self):
        self.check(self.refund("1", key="thief"), REFUSED, "signature does not verify")
        answer = self.world.online("transfer", "1", "--from", "SHOP-1")
        self.check(answer, REFUSED, "owner has to sign")
        self.assertEqual(self.world.balance(), 4000)

    def test_a_payment_that_is_none_is_named(self):
        self.check(self.refund("1", payment=f"{self.card}:1"), REFUSED, "payment to refund")
        self.check(self.refund("1", payment=f"{self.card}:9"), REFUSED, "payment to refund")
        for payment in ("x", self.card, f"{self.card}:", f"{self.card}:x", ":2", "xy:2"):
            self.check(self.refund("1", payment=payment), REFUSED, "--payment .CARD:SEQUENCE")
        self.assertEqual(self.world.balance(), 4000)


class Issuer(AccountCase):
    def setUp(self):
        super().setUp()
        self.check(self.world.account("open", "SHOP-1"), DONE)
        self.card = self.check(self.world.offline("info", "--json"), DONE).json()["card"]

    def test_a_till_hands_in_its_cash(self):
        self.check(self.office("issuer", "hand-in", "terminal-1", "30", "--to", "safe"), DONE)
        self.check(self.office("issuer", "hand-in", "terminal-1", "10", "--from", "safe"), DONE,
                   "order 2")
        books = self.world.books()
        self.assertEqual((books["cash/terminal-1"], books["outside/safe"]), (-3000, -2000))
        self.assertEqual(self.audit()["kinds"]["hand in"]["count"], 2)

    def test_a_fee_says_why(self):
        answer = self.office("issuer", "adjust", "SHOP-1", "1", "--to", "fees")
        self.check(answer, REFUSED, "--reference")
        self.check(self.office("issuer", "adjust", "SHOP-1", "1", "--to", "fees", "--reference",
                               "fee of November"), DONE)
        acts = self.audit()["without_the_owner"]
        self.assertEqual([(act["kind"], act["reference"]) for act in acts],
                         [("adjust", "fee of November")])

    def test_a_lost_card_gives_back_what_it_cannot_spend(self):
        recover = ["issuer", "recover", self.card, "--to", "SHOP-1", "--reference", "case 9"]
        self.check(self.office(*recover, "--all"), REFUSED)
        lost = self.check(self.office("issuer", "declare-lost", self.card, "--json"), DONE).json()
        free = lost["recoverable"]["minor_units"]
        self.assertEqual(free + lost["held_back"]["minor_units"], 4000)
        self.check(self.office(*recover, "--amount", "40.01"), REFUSED, "does not hold")
        self.check(self.office(*recover), REFUSED, "--amount or --all")
        if free:
            self.check(self.office(*recover, "--all"), DONE)
            self.check(self.world.run("issuer", "undeny", self.card), REFUSED, "state")
        self.check(self.world.online("top-up", "1"), REFUSED, "deny list")
        self.assertEqual(self.audit()["denied"], [self.card])


class DenyList(AccountCase):
    def setUp(self):
        super().setUp()
        self.card = self.check(self.world.offline("info", "--json"), DONE).json()["card"]
        self.list = str(self.world.root / "denied")

    def fetch(self, *words):
        return self.office("deny-list", self.list, *words)

    def pay(self, *words):
        return self.world.offline("pay", "1", "--to", "SHOP-1", "--deny-list", self.list, *words)

    def test_a_till_refuses_a_denied_card_before_it_pays(self):
        self.check(self.pay(), REFUSED, "fetch it with")
        self.check(self.fetch(), DONE, "0 cards denied")
        self.check(self.pay("--deny-list-max-age", "1"), DONE, "deny list is of .*0 hours ago")
        self.check(self.pay("--deny-list-max-age", "0"), REFUSED, "fetch it again")
        self.check(self.world.run("issuer", "deny", self.card), DONE)
        self.check(self.fetch(), DONE, "1 card denied")
        self.check(self.pay(), REFUSED, "deny list; keep it")
        self.assertEqual(self.world.balance(), 3900)
        self.check(self.world.run("issuer", "undeny", self.card), DONE)
        self.check(self.fetch(), DONE, "0 cards denied, 2 lines")
        self.check(self.pay(), DONE)

    def test_a_list_that_was_changed_cut_or_put_back_is_refused(self):
        self.check(self.world.run("issuer", "deny", self.card), DONE)
        self.check(self.fetch(), DONE)
        with open(self.list, encoding="utf-8") as file:
            whole = file.read()
        for changed in (whole[len(self.card) + 2:], whole.replace("+", "-", 1),
                        whole.replace("demo.example/", "other.example/", 1), "", whole + "x\n"):
            with open(self.list, "w", encoding="utf-8") as file:
                file.write(changed)
            self.check(self.pay(), REFUSED, "deny list")
            self.check(self.fetch(), REFUSED, "deny list")
        self.assertEqual(self.world.balance(), 4000)


if __name__ == "__main__":
    unittest.main()
