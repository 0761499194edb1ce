# SPDX-License-Identifier: Apache-2.0
"""cli_test.py BUILD: wrong input to the tallycard tool, with cards in its own process. Every case:
the exit code, a message with cause and remedy, and nothing lost."""
import re
import sys
import unittest

from tallycard_world import DONE, PASSPHRASE, PIN, REFUSED, USAGE, World

BUILD = sys.argv.pop(1)
ISSUED = World(BUILD)  # a card with 50.00 after a settled and an unsettled payment


def setUpModule():
    for answer in (ISSUED.make_issuer(), ISSUED.issue(), ISSUED.online("top-up", "60"),
                   ISSUED.offline("pay", "4", "--to", "SHOP-1"), ISSUED.run("settle"),
                   ISSUED.offline("pay", "6", "--to", "SHOP-1")):
        assert answer.code == DONE, answer


def tearDownModule():
    ISSUED.remove()


class Case(unittest.TestCase):
    def setUp(self):
        self.world = World(BUILD, copy_of=ISSUED)
        self.addCleanup(self.world.remove)

    def check(self, answer, code, pattern=""):
        self.assertEqual(answer.code, code, answer)
        said = answer.err if code else answer.out
        self.assertRegex(said, re.compile(pattern, re.S), answer)
        return answer

    def check_unchanged(self, balance=5000, accounts=None):
        self.assertEqual(self.world.balance(), balance)
        books = self.world.books()
        self.assertEqual(books, accounts or ISSUED.books())


class Usage(Case):
    def commands(self):
        """Every command, as a list of words: from the tool's own help."""
        def below(words):
            text = self.check(self.world.run(*words, "--help"), DONE, "Usage").out
            inner = text.partition("Subcommands:\n")[2]
            names = re.findall(r"^  (\S+)", inner, re.M)
            yield words
            for name in names:
                yield from below([*words, name])
        return [words for words in below([]) if words]

    def test_every_command_has_help(self):
        commands = self.commands()
        self.assertGreater(len(commands), 25)
        for name in ("top-up", "pay", "reset-pin", "set-limits", "execute"):
            self.assertIn([name], commands)
        self.assertIn(["ledger", "verify"], commands)
        self.assertIn(["accounts", "open"], commands)

    def test_an_unknown_option_is_a_usage_error_everywhere(self):
        for words in self.commands():
            answer = self.world.run(*words, "--no-such-option")
            self.check(answer, USAGE, r"\S.*--help")

    def test_a_missing_or_extra_argument_is_a_usage_error(self):
        for words in ([], ["top-up"], ["pay", "1"], ["bogus"], ["issuer"], ["ledger"],
                      ["ledger", "prove"], ["ledger", "export"], ["issuer", "init"], ["issue"],
                      ["settle", "more"], ["top-up", "1", "2"], ["accounts", "open"],
                      ["top-up", "1", "--wait", "x"], ["top-up", "1", "--wait", "-1"],
                      ["ledger", "prove", "-1"], ["ledger", "prove", "x"], ["execute"],
                      ["issuer", "init", "--name", "x", "--exponent", "19"],
                      ["set-limits", "--offline-payments", "16"],
                      ["transfer", "1", "--to", "A", "--from", "B"]):
            self.check(self.world.run(*words), USAGE, r"--help")
        self.check_unchanged()

    def test_an_option_that_does_not_read_is_named(self):
        for words, name in ((["top-up", "1", "--id", "xyz"], "--id"),
                            (["top-up", "1", "--id", "A" * 32], "--id"),
                            (["top-up", "1", "--terminal", "x" * 35], "--terminal"),
                            (["pay", "1", "--to", "x" * 35], "--to"),
                            (["pay", "1", "--to", "a b"], "--to"),
                            (["transfer", "1"], "--to"),
                            (["execute", "00"], "malformed"),
                            (["execute", "zz"], "instruction")):
            passphrase = [] if words[0] in ("pay", "execute") else [
                "--passphrase-file", str(self.world.root / "passphrase")]
            self.check(self.world.offline(*words, *passphrase), REFUSED, name)
        self.check_unchanged()

    def test_a_bad_name_or_unit_makes_no_issuer(self):
        for words in (["--name", "a b"], ["--name", "x" * 65], ["--name", "x", "--unit", "EU"],
                      ["--name", "x", "--unit", "0x10000"]):
            self.world.issuer = self.world.root / "other"
            answer = self.world.run("issuer", "init", *words, "--passphrase-file",
                                    str(self.world.root / "passphrase"))
            self.check(answer, REFUSED, words[-2])
            self.assertFalse(self.world.issuer.exists())

    def test_an_issuer_is_not_made_over_another(self):
        self.check(self.world.make_issuer(), REFUSED, "there already")
        self.check_unchanged()


class Json(Case):
    def test_every_command_that_prints_prints_one_object(self):
        passphrase = ["--passphrase-file", str(self.world.root / "passphrase")]
        at_card = ([["info"], ["balance"], ["history"], ["pay", "1", "--to", "SHOP-1"]] +
                   [[*words, *passphrase] for words in
                    (["top-up", "1"], ["cash-out", "1"], ["resolve"], ["block"], ["unblock"],
                     ["reset-pin"], ["set-limits"], ["void"], ["transfer", "1", "--to", "SHOP-1"],
                     ["transfer", "1", "--from", "SHOP-1"], ["terminate"])])
        alone = ([["accounts"], ["settle"], ["accounts", "open", "NEW"], ["issuer", "status"],
                  ["ledger", "prove", "0"]] +
                 [["ledger", *words, *passphrase] for words in
                  (["verify"], ["checkpoint"], ["export", str(self.world.root / "ledger")])])
        self.check(self.world.run("accounts", "open", "SHOP-2"), DONE)
        for words in alone:
            self.check(self.world.run(*words, "--json"), DONE).json()
        for words in at_card:
            answer = self.world.offline(*words, "--json")
            self.assertIn(answer.code, (DONE, REFUSED), answer)
            answer.json()
        self.world.books()

    def test_a_refusal_is_an_object_too(self):
        for words in (["pay", "1e9", "--to", "S"], ["pay", "900", "--to", "S"]):
            answer = self.world.offline(*words, "--json")
            self.assertEqual(answer.code, REFUSED, answer)
            self.assertEqual(answer.json()["outcome"], "not_applied", answer)
            self.assertTrue(answer.json()["error"]["message"])
        self.check_unchanged()


class Values(Case):
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
        self.check(self.world.offline("pay", "60", "--to", "S", **pin), REFUSED,
                   "not enough value")
        self.check(self.world.online("cash-out", "60", **pin), REFUSED, "not enough value")
        self.assertEqual(self.world.balance(), 5000)
        self.check(self.world.run("settle"), DONE)
        for amount in ("200", "200", "200", "200", "150"):
            self.check(self.world.online("top-up", amount), DONE)
        before = self.world.books()
        self.check(self.world.online("top-up", "0.01"), REFUSED, "maximum balance")
        self.check_unchanged(100000, before)

    def test_offline_payments_end_at_their_limits(self):
        for _ in range(8):  # of ten: two were paid since the top-up
            self.check(self.world.offline("pay", "0.01", "--to", "S"), DONE, "done")
        answer = self.world.offline("pay", "0.01", "--to", "S")
        self.check(answer, REFUSED, "offline limit.*go online")
        self.check_unchanged(4992)

    def test_an_account_that_does_not_exist_gives_nothing(self):
        self.world.run("settle")
        before = self.world.books()
        answer = self.world.online("transfer", "1", "--from", "NOBODY")
        self.check(answer, REFUSED, "(no such account|not hold).*")
        self.check_unchanged(5000, before)

    def test_the_same_id_is_one_operation(self):
        words = ["top-up", "1", "--id", "ab" * 16]
        first, again = self.world.online(*words, "--json"), self.world.online(*words, "--json")
        self.assertEqual(first.json()["receipt"], again.json()["receipt"])
        answer = self.world.online("top-up", "2", "--id", "ab" * 16)
        self.check(answer, REFUSED, "same id stands for something else")
        self.assertEqual(self.world.balance(), 5100)


class Cards(Case):
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
        self.check_unchanged(accounts=self.world.books())
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
        self.assertEqual(self.world.balance(), 4900)

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
        other = World(BUILD)
        self.addCleanup(other.remove)
        for answer in (other.make_issuer("other.example"), other.issue(),
                       other.online("top-up", "20")):
            self.check(answer, DONE)
        foreign = {"reader": other.reader}
        known = "(not a card of this issuer|never issued the card)"
        for words in (["top-up", "1"], ["cash-out", "1"], ["block"]):
            self.check(self.world.online(*words, **foreign), REFUSED, known)
        self.check(self.world.offline("pay", "1", "--to", "S", **foreign), REFUSED, known)
        for words in (["balance"], ["history"]):
            self.check(self.world.offline(*words, **foreign), REFUSED, f"{known}|another issuer")
        self.assertEqual(other.balance(), 2000)
        self.check_unchanged()

    def test_a_card_that_the_books_do_not_know_is_refused(self):
        lost = World(BUILD, copy_of=self.world)
        self.addCleanup(lost.remove)
        (lost.root / "card").unlink()
        self.check(self.world.issue(reader=lost.reader), REFUSED, "stands for something else")
        lost.write_private("transport-key", "5a" * 32)
        self.check(lost.issue(), DONE)
        self.check(lost.online("top-up", "5"), DONE)
        answer = self.world.online("top-up", "1", reader=lost.reader)
        self.check(answer, REFUSED, "never issued the card")
        self.assertEqual(lost.balance(), 500)
        self.check_unchanged()


class Secrets(Case):
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


if __name__ == "__main__":
    unittest.main()
