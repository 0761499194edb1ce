# SPDX-License-Identifier: Apache-2.0
"""cli_test.py BUILD: wrong amounts, cards and secrets for the tallycard tool, with cards in its own
process. Every case: the exit code, a message with cause and remedy, and nothing lost."""
import unittest

from tallycard_world import DONE, IN_DOUBT, PASSPHRASE, PIN, REFUSED, CopyCase, World


class Values(CopyCase):
    def test_an_amount_that_is_none_moves_nothing(self):
        for amount in ("-1", "0", "0.00", "1e9", "50.001", "", "x", "1,50", "+1", " 1", "١",
                       "99999999999999999999", "0x10", "-0.01", "inf", "1.", ".5.", "1" * 400):
            for answer in (self.world.online("top-up", amount),
                           self.world.offline("pay", amount, "--to", "SHOP-1")):
                self.check(answer, REFUSED, "amount: not a usable amount")
        for amount in ("-1", "0", "1e9", "50.001"):
            for words in (["cash-out", amount], ["transfer", amount, "--to", "SHOP-1"]):
                self.check(self.world.online(*words), REFUSED, "amount: not a usable amount")
        self.check_unchanged()

    def test_an_amount_beyond_a_limit_moves_nothing(self):
        pin = {"pins": [("--pin-fd", PIN)]}
        self.check(self.world.online("top-up", "200.01"), REFUSED, "limit for one operation")
        self.check(self.world.offline("pay", "200.01", "--to", "S", **pin), REFUSED, "limit")
        self.check(self.world.offline("pay", "50.01", "--to", "S"), REFUSED, "PIN is needed")
        self.check(self.world.online("cash-out", "50.01"), REFUSED, "PIN is needed")
        self.check(self.world.offline("pay", "40.01", "--to", "S", **pin), REFUSED,
                   "not enough value")
        self.check(self.world.online("cash-out", "40.01", **pin), REFUSED, "not enough value")
        self.assertEqual(self.world.balance(), 4000)
        self.check(self.world.run("settle"), DONE)
        for amount in ("200", "200", "200", "200", "160"):
            self.check(self.world.online("top-up", amount), DONE)
        before = self.world.books()
        self.check(self.world.online("top-up", "0.01"), REFUSED, "maximum balance")
        self.check_unchanged(100000, before)

    def test_offline_payments_end_at_their_limits(self):
        for _ in range(8):  # of ten: two were paid since the top-up
            self.check(self.world.offline("pay", "0.01", "--to", "S"), DONE, "done")
        answer = self.world.offline("pay", "0.01", "--to", "S")
        self.check(answer, REFUSED, "offline limit.*go online")
        self.check_unchanged(3992)

    def test_an_account_that_does_not_exist_gives_nothing(self):
        self.world.run("settle")
        before = self.world.books()
        answer = self.world.online("transfer", "1", "--from", "NOBODY")
        self.check(answer, REFUSED, "nobody can consent")
        self.check_unchanged(4000, before)

    def test_the_same_id_is_one_operation(self):
        words = ["top-up", "1", "--id", "ab" * 16]
        first, again = self.world.online(*words, "--json"), self.world.online(*words, "--json")
        self.assertEqual(first.json()["receipt"], again.json()["receipt"])
        answer = self.world.online("top-up", "2", "--id", "ab" * 16)
        self.check(answer, REFUSED, "same id stands for something else")
        self.assertEqual(self.world.balance(), 4100)


class Cards(CopyCase):
    def test_a_card_that_is_not_there_says_so(self):
        self.world.reader = f"loopback:{self.world.root / 'nothing'}"
        for words in (["balance"], ["info"], ["pay", "1", "--to", "S"]):
            self.check(self.world.offline(*words), REFUSED, "card image: there is no such file")
        self.assertFalse((self.world.root / "nothing").exists())

    def test_a_blank_card_is_to_be_issued_first(self):
        self.world.make_blank("blank")
        blank = {"reader": f"loopback:{self.world.root / 'blank'}"}
        for words in (["balance"], ["pay", "1", "--to", "S"]):
            self.check(self.world.offline(*words, **blank), REFUSED, "blank; issue it first")
        self.check(self.world.online("top-up", "1", **blank), REFUSED, "blank; issue it first")
        self.check(self.world.offline("info", **blank), DONE, "blank")
        self.world.write_private("transport-key", "5a" * 32)
        self.check(self.world.issue(**blank), REFUSED, "wrong key")
        self.world.write_private("transport-key", (self.world.root / "blank-key").read_text())
        self.check(self.world.issue(**blank), DONE, "issued")
        self.check(self.world.issue(**blank), DONE, "issued")  # asking twice is asking once
        self.check_unchanged(books=self.world.books())
        self.assertEqual(self.world.balance(**blank), 0)

    def test_a_transport_key_that_does_not_read_makes_no_card(self):
        fresh = {"reader": f"loopback:{self.world.root / 'fresh'}"}
        for text in ("", "00", "zz" * 32, "00" * 33):
            self.world.write_private("transport-key", text)
            self.check(self.world.issue(**fresh), REFUSED, "transport key file.*malformed")
        (self.world.root / "transport-key").chmod(0o644)
        self.check(self.world.issue(**fresh), REFUSED, "chmod 600")
        (self.world.root / "transport-key").unlink()
        self.check(self.world.issue(**fresh), REFUSED, "transport key file.*no such file")
        self.check_unchanged()

    def test_a_pin_is_three_tries(self):
        wrong, right = [("--pin-fd", "0000")], [("--pin-fd", PIN)]
        for left in (2, 1, 0):
            answer = self.world.offline("pay", "1", "--to", "S", pins=wrong)
            self.check(answer, REFUSED, f"wrong PIN; {left} tries left|PIN is blocked")
        answer = self.world.offline("pay", "1", "--to", "S", pins=right)
        self.check(answer, REFUSED, "PIN is blocked; the issuer can reset")
        self.check_unchanged()
        self.check(self.world.run("settle"), DONE)
        self.check(self.world.online("reset-pin"), DONE)
        self.check(self.world.offline("pay", "1", "--to", "S", pins=right), DONE)
        self.assertEqual(self.world.balance(), 3900)

    def test_a_pin_changes_only_for_who_knows_it(self):
        change = [("--pin-fd", "0000"), ("--new-pin-fd", "1111")]
        self.check(self.world.offline("pin", pins=change), REFUSED, "wrong PIN; 2 tries left")
        for bad in ("123", "1234567890123", "12a4", ""):
            answer = self.world.offline("pin", pins=[("--pin-fd", PIN), ("--new-pin-fd", bad)])
            self.check(answer, REFUSED, "PIN")
        change = [("--pin-fd", PIN), ("--new-pin-fd", "1111")]
        self.check(self.world.offline("pin", pins=change), DONE, "changed")
        self.check_unchanged()

    def test_another_issuers_card_is_refused_before_value_moves(self):
        other = World()
        self.addCleanup(other.remove)
        for answer in (other.make_issuer("other.example"), other.issue(),
                       other.online("top-up", "20")):
            self.check(answer, DONE)
        foreign = {"reader": other.reader}
        known, other_card = "(not a card of this issuer|never issued the card)", "use another card"
        for words in (["top-up", "1"], ["cash-out", "1"], ["block"]):
            self.check(self.world.online(*words, **foreign), REFUSED, known)
        self.check(self.world.offline("pay", "1", "--to", "S", **foreign), REFUSED, known)
        for words in (["balance"], ["history"]):
            self.check(self.world.offline(*words, **foreign), REFUSED, other_card)
        self.assertEqual(other.balance(), 2000)
        self.check_unchanged()

    def test_a_card_that_the_books_do_not_know_is_refused(self):
        lost = World(copy_of=self.world)
        self.addCleanup(lost.remove)
        (lost.root / "card").unlink()
        answer = self.world.issue(reader=lost.reader)
        self.check(answer, REFUSED, "issued with this transport key already.*right file")
        (lost.root / "card").unlink()  # blank
        lost.write_private("transport-key", "5a" * 32)
        self.check(lost.issue(), DONE)
        self.check(lost.online("top-up", "5"), DONE)
        answer = self.world.online("top-up", "1", reader=lost.reader)
        self.check(answer, REFUSED, "never issued the card")
        self.assertEqual(lost.balance(), 500)
        self.check_unchanged()


class Secrets(CopyCase):
    def test_no_file_holds_the_pin_or_the_passphrase(self):
        pin = {"pins": [("--pin-fd", PIN)]}
        self.check(self.world.offline("pay", "1", "--to", "S", **pin), DONE)
        self.check(self.world.online("cash-out", "1", **pin), DONE)
        files = [f for f in self.world.issuer.rglob("*") if f.is_file()] + [self.world.journal]
        self.assertGreaterEqual(len(files), 6)
        pin_block = bytes([0x20 + len(PIN)]) + bytes.fromhex(PIN)
        for file in files:
            content = file.read_bytes()
            self.assertEqual(file.stat().st_mode & 0o077, 0, file) if file.suffix == ".key" else 0
            for secret in (PIN.encode(), PASSPHRASE.encode(), pin_block):
                self.assertNotIn(secret, content, file)

    def test_a_passphrase_file_that_others_may_read_is_refused(self):
        path = self.world.root / "passphrase"
        for mode in (0o640, 0o604, 0o620):
            path.chmod(mode)
            self.check(self.world.online("top-up", "1"), REFUSED,
                       "passphrase file is open to others .chmod 600.")
        path.chmod(0o400)
        self.check(self.world.online("top-up", "1"), DONE)
        self.assertEqual(self.world.balance(), 4100)

    def test_a_wrong_passphrase_signs_nothing(self):
        wrong = self.world.write_private("wrong", "another passphrase\n")
        for words in (["top-up", "1"], ["cash-out", "1"], ["block"], ["resolve"]):
            answer = self.world.offline(*words, "--passphrase-file", wrong)
            self.check(answer, REFUSED, "wrong passphrase, or a damaged key file")
        answer = self.world.run("ledger", "checkpoint", "--passphrase-file", wrong)
        self.check(answer, REFUSED, "wrong passphrase")
        missing = str(self.world.root / "none")
        answer = self.world.offline("top-up", "1", "--passphrase-file", missing)
        self.check(answer, REFUSED, "passphrase file: there is no such file")
        answer = self.world.offline("top-up", "1")  # no terminal to ask at
        self.check(answer, REFUSED, "--passphrase-file")
        self.check_unchanged()


class Readers(CopyCase):
    """Readers in readers: what an integrator tests a till with."""

    def through(self, kind, text=None):
        """This world's reader behind a decorator, with a file of this text."""
        path = self.world.root / kind
        if text is not None:
            path.write_text(text)
        return {"reader": f"{kind}:{path},{self.world.reader}"}

    def test_a_planned_fault_leaves_doubt_that_the_same_id_ends(self):
        words = ["top-up", "1", "--id", "cd" * 16]
        plan = "tallycard-faults 1\nins 32 at 1 remove-after\n"
        answer = self.world.online(*words, **self.through("fault", plan))
        self.check(answer, IN_DOUBT, "in doubt.*card was removed.*--id " + "cd" * 16)
        self.check(self.world.online(*words), DONE, "balance 41.00")
        plan = "tallycard-faults 1\ndeadline 5\nins 34 at 1 mute-before\n"
        answer = self.world.offline("pay", "2", "--to", "S", "--id", "ce" * 16, "--json",
                                    **self.through("fault", plan))
        self.check(answer, IN_DOUBT)
        self.assertEqual(answer.json()["error"]["code"], "timed_out", answer)
        self.check(self.world.offline("pay", "2", "--to", "S", "--id", "ce" * 16), DONE)
        self.assertEqual(self.world.balance(), 3900)

    def test_a_plan_or_reader_that_does_not_read_is_named(self):
        answer = self.world.offline("balance", "--json", **self.through(
            "fault", "tallycard-faults 1\nat 1 lose-anser\n"))
        self.assertEqual(answer.code, REFUSED, answer)
        error = answer.json()["error"]
        self.assertEqual((error["line"], error["column"]), (2, 6), answer)
        self.assertIn("no such fault", error["message"])
        for reader, said in (("fault:x", "fault:PLAN,READER"), ("bogus:x", "it is pcsc:, loopback:"),
                             ("fault:none,pcsc", "fault plan: there is no such file")):
            self.check(self.world.offline("balance", reader=reader), REFUSED, said)
        self.check_unchanged()

    def test_a_record_holds_no_pin_and_plays_again(self):
        pin = {"pins": [("--pin-fd", PIN)]}
        words = ["pay", "1", "--to", "SHOP-1", "--id", "ef" * 16]
        traced = self.through("trace")
        self.check(self.world.offline(*words, **traced, **pin), DONE)
        record = self.world.root / "trace"
        self.assertEqual(record.stat().st_mode & 0o777, 0o600)
        text = record.read_text()
        self.assertIn("00200001..", text)
        for secret in (PIN, PASSPHRASE, PIN.encode().hex()):
            self.assertNotIn(secret, text)
        answer = self.world.offline("balance", **traced)
        self.check(answer, REFUSED, "trace file.*there already")

        # Asked again, the card has it in its log: there is no fresh challenge in that record.
        balance = self.world.balance()
        record.unlink()
        self.world.journal = self.world.root / "another-journal"
        self.check(self.world.offline(*words, **traced), DONE)
        replay = {"reader": f"replay:{record}"}
        self.world.journal = self.world.root / "one-more-journal"
        first = self.check(self.world.offline(*words, "--json", **replay), DONE)
        self.assertEqual(first.json()["balance"]["minor_units"], balance)
        answer = self.world.offline("history", **replay)
        self.check(answer, REFUSED, r"line \d+, column \d+ of the record")
        self.assertEqual(self.world.balance(), balance)


class Ends(CopyCase):
    def test_a_card_with_value_is_not_terminated_by_mistake(self):
        self.check(self.world.online("terminate"), REFUSED, "holds 40.00 EUR.*--forfeit")
        self.assertEqual(self.world.balance(), 4000)
        words = ["terminate", "--forfeit", "--id", "ad" * 16]
        self.check(self.world.online(*words), DONE)
        self.check(self.world.online("terminate", "--id", "ad" * 16), DONE)


class SecondTries(CopyCase):
    def test_the_same_payment_again_is_not_charged_twice(self):
        plan = self.world.write_private("plan", "tallycard-faults 1\nins 34 at 1 remove-after\n")
        words = ["pay", "5", "--to", "SHOP-1"]
        broken = f"fault:{plan},{self.world.reader}"
        self.check(self.world.run(*words, reader=broken), IN_DOUBT, "in doubt")
        answer = self.check(self.world.offline(*words), REFUSED, "was made before.*--another")
        self.assertIn("it was made", answer.err)
        self.assertEqual(self.world.balance(), 3500)
        self.check(self.world.offline(*words), DONE)  # that doubt has ended
        self.assertEqual(self.world.balance(), 3000)

    def test_another_payment_is_made_when_it_is_asked_for(self):
        plan = self.world.write_private("plan", "tallycard-faults 1\nins 34 at 1 remove-after\n")
        broken = f"fault:{plan},{self.world.reader}"
        for more, balance in (([], 3400), (["--another"], 2400)):
            self.check(self.world.run("pay", "5", "--to", "S", reader=broken), IN_DOUBT)
            self.check(self.world.offline("pay", "5" if more else "1", "--to", "S", *more), DONE)
            self.assertEqual(self.world.balance(), balance)
        self.check(self.world.run("settle"), DONE)


if __name__ == "__main__":
    unittest.main()
