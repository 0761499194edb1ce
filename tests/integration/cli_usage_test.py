# SPDX-License-Identifier: Apache-2.0
"""cli_usage_test.py BUILD: the tallycard tool's options, help and JSON."""
import re
import unittest

from tallycard_world import DONE, REFUSED, USAGE, CopyCase


class Usage(CopyCase):
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

    def test_an_option_that_is_given_counts_more_than_the_environment(self):
        elsewhere = self.world.root / "elsewhere"
        elsewhere.mkdir()
        answer = self.world.run("issuer", "status", "-i", str(elsewhere))
        self.assertEqual(answer.code, REFUSED, answer)
        self.assertIn("issuer.pub in the issuer's folder", answer.err)

    def test_every_command_has_help(self):
        commands = self.commands()
        self.assertGreater(len(commands), 25)
        for name in ("top-up", "pay", "reset-pin", "set-limits", "execute"):
            self.assertIn([name], commands)
        self.assertIn(["ledger", "verify"], commands)
        self.assertIn(["account", "open"], commands)

    def test_an_unknown_option_is_a_usage_error_everywhere(self):
        for words in self.commands():
            answer = self.world.run(*words, "--no-such-option")
            self.check(answer, USAGE, r"\S.*--help")

    def test_a_missing_or_extra_argument_is_a_usage_error(self):
        for words in ([], ["top-up"], ["pay", "1"], ["bogus"], ["issuer"], ["ledger"],
                      ["ledger", "prove"], ["ledger", "export"], ["issuer", "init"], ["issue"],
                      ["settle", "more"], ["top-up", "1", "2"], ["account", "open"], ["account", "pay-in", "A", "1"], ["issuer", "adjust", "A", "1"],
                      ["issuer", "hand-in", "T", "1", "--to", "safe", "--from", "safe"],
                      ["refund", "1", "--from", "A"], ["account"],
                      ["top-up", "1", "--wait", "x"], ["top-up", "1", "--wait", "-1"],
                      ["ledger", "verify", "--threads", "0"],
                      ["ledger", "verify", "--threads", "257"],
                      ["ledger", "prove", "-1"], ["ledger", "prove", "x"], ["execute"],
                      ["issuer", "init", "--name", "x", "--exponent", "19"],
                      ["set-limits", "--offline-payments", "16"],
                      ["transfer", "1"],
                      ["transfer", "1", "--to", "A", "--from", "B"]):
            self.check(self.world.run(*words), USAGE, r"--help")
        self.check_unchanged()

    def test_an_option_that_does_not_read_is_named(self):
        for words, name in ((["top-up", "1", "--id", "xyz"], "--id"),
                            (["top-up", "1", "--id", "A" * 32], "--id"),
                            (["top-up", "1", "--terminal", "x" * 35], "--terminal"),
                            (["pay", "1", "--to", "x" * 35], "--to"),
                            (["pay", "1", "--to", "a b"], "--to .*no space"),
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


class Json(CopyCase):
    def test_every_command_that_prints_prints_one_object(self):
        passphrase = ["--passphrase-file", str(self.world.root / "passphrase")]
        at_card = ([["info"], ["balance"], ["history"], ["pay", "1", "--to", "SHOP-1"]] +
                   [[*words, *passphrase] for words in
                    (["top-up", "1"], ["cash-out", "1"], ["resolve"], ["block"], ["unblock"],
                     ["reset-pin"], ["set-limits"], ["void"], ["transfer", "1", "--to", "SHOP-1"],
                     ["transfer", "1", "--from", "SHOP-1"], ["terminate"])])
        alone = ([["accounts"], ["settle"], ["account", "show", "SHOP-2"], ["issuer", "status"],
                  ["ledger", "prove", "0"], ["issuer", "close-gaps", *passphrase]] +
                 [["ledger", *words, *passphrase] for words in
                  (["verify"], ["checkpoint"], ["export", str(self.world.root / "ledger")])])
        self.check(self.world.account("open", "SHOP-2", "--json"), DONE).json()
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


if __name__ == "__main__":
    unittest.main()
