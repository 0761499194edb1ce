# SPDX-License-Identifier: Apache-2.0
"""cli_pkcs11_test.py BUILD MODULE: the issuer's keys in SoftHSM2, by the tallycard tool: the whole
story, the ceremony of docs/operations.md, and tokens and PINs that are wrong."""
import os
import shutil
import subprocess
import sys
import unittest

MODULE = sys.argv.pop(2)
from tallycard_world import DONE, IN_DOUBT, PIN, REFUSED, USAGE, ToolCase, World  # noqa: E402

HSM_PIN, SO_PIN = "86420135", "97531246"


class HsmWorld(World):
    """With a token `issuer` for what is online and a token `vault` for the card root key."""

    def __init__(self):
        super().__init__()
        tokens = self.root / "tokens"
        tokens.mkdir()
        (self.root / "softhsm2.conf").write_text(
            f"directories.tokendir = {tokens}\nlog.level = ERROR\n")
        self.environment["SOFTHSM2_CONF"] = str(self.root / "softhsm2.conf")
        self.environment |= {"HSM_PIN": HSM_PIN, "HSM_SO_PIN": SO_PIN}
        self.pin_file = self.write_private("hsm-pin", HSM_PIN + "\n")
        self.make_token("issuer")

    def program(self, *words):
        done = subprocess.run(words, env=self.environment, text=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}"
        return done.stdout

    def pkcs11_tool(self, *words):
        return self.program("pkcs11-tool", "--module", MODULE, *words)

    def make_token(self, label):
        self.program("softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin",
                     SO_PIN, "--pin", HSM_PIN)

    def make_key(self, label, number, token="issuer"):
        self.pkcs11_tool("--token-label", token, "--login", "--pin", "env:HSM_PIN", "--keypairgen",
                         "--key-type", "EC:edwards25519", "--usage-sign", "--label", label,
                         "--id", number)

    def uri(self, key, token="issuer", more=""):
        return f"pkcs11:token={token};object={key}?module-path={MODULE}{more}"

    def hsm(self, *words, **how):
        return self.offline(*words, "--hsm-pin-file", self.pin_file, **how)

    def make_hsm_issuer(self):
        """All three keys in tokens."""
        self.make_token("vault")
        self.make_key("operation", "01")
        self.make_key("checkpoint", "02")
        self.make_key("card-root", "01", "vault")
        self.write_private("transport-key", "5a" * 32)
        return self.run("issuer", "init", "--name", "hsm.example", "--operation-key",
                        self.uri("operation"), "--card-root", self.uri("card-root", "vault"),
                        "--checkpoint-key", self.uri("checkpoint"), "--hsm-pin-file",
                        self.pin_file, "--json")

    def issue_by_hsm(self):
        return self.hsm("issue", "--transport-key-file", str(self.root / "transport-key"),
                        pins=[("--pin-fd", PIN)])


class HsmCase(ToolCase):
    def setUp(self):
        self.world = HsmWorld()
        self.addCleanup(self.world.remove)

    def check(self, answer, code, pattern=""):
        for secret in (HSM_PIN, SO_PIN):
            self.assertNotIn(secret, answer.out + answer.err + " ".join(answer.command))
        return super().check(answer, code, pattern)


class Story(HsmCase):
    def test_an_issuer_whose_keys_are_all_in_tokens_does_everything(self):
        world = self.world
        made = self.check(world.make_hsm_issuer(), DONE).json()
        seen = world.pkcs11_tool("--token-label", "vault", "--list-objects", "--type", "pubkey")
        self.assertIn("0420" + made["card_root"], seen)
        self.check(world.issue_by_hsm(), DONE, "issued")
        self.check(world.hsm("top-up", "50"), DONE, "done; balance 50.00")
        self.check(world.hsm("cash-out", "10", pins=[("--pin-fd", PIN)]), DONE, "balance 40.00")
        world.make_key("shop", "07")
        shop = ["--account-key", world.uri("shop")]
        pin = ["--hsm-pin-file", world.pin_file]
        self.check(world.run("account", "open", "SHOP-1", *shop, *pin), DONE)
        self.check(world.hsm("transfer", "5", "--to", "SHOP-1"), DONE, "balance 35.00")
        self.check(world.hsm("transfer", "2", "--from", "SHOP-1"), REFUSED, "owner has to sign")
        self.check(world.offline("transfer", "2", "--from", "SHOP-1", *shop, *pin), DONE,
                   "balance 37.00")
        self.check(world.offline("pay", "7", "--to", "SHOP-1"), DONE)
        self.check(world.run("settle"), DONE)
        self.check(world.hsm("block"), DONE)
        self.check(world.hsm("unblock"), DONE)
        self.check(world.hsm("resolve"), DONE)
        self.assertEqual(world.balance(), 3000)
        self.assertEqual(world.books()["account/SHOP-1"], 1000)

        self.check(world.run("ledger", "checkpoint", *pin), DONE, "hsm.example")
        export = str(world.root / "export")
        self.check(world.run("ledger", "export", export, *pin), DONE)
        self.check(world.run("ledger", "verify", export, "--issuer",
                             str(world.issuer / "issuer.pub")), DONE, "the ledger is right")
        for file in world.issuer.iterdir():
            self.assertNotIn(HSM_PIN.encode(), file.read_bytes(), file)
            self.assertEqual(file.stat().st_mode & 0o077, 0, file)

    def test_the_pin_comes_from_a_file_a_descriptor_or_the_uris_pin_source(self):
        world = self.world
        world.make_key("operation", "01")
        base = ["issuer", "init", "--name", "x", "--passphrase-file",
                world.write_private("passphrase", "secret words\n")]
        sourced = world.uri("operation", more=f"&pin-source=file:{world.pin_file}")
        self.check(world.run(*base, "--operation-key", sourced), DONE)
        self.assertEqual((world.issuer / "operation.key").read_text(), sourced + "\n")
        shutil.rmtree(world.issuer)
        self.check(world.run(*base, "--operation-key", world.uri("operation"),
                             pins=[("--hsm-pin-fd", HSM_PIN)]), DONE)
        shutil.rmtree(world.issuer)
        answer = world.run(*base, "--operation-key", world.uri("operation"))
        self.check(answer, REFUSED, "no terminal; --hsm-pin-file")
        os.chmod(world.pin_file, 0o640)
        answer = world.run(*base, "--operation-key", sourced)
        self.check(answer, REFUSED, "open to others .chmod 600.")
        self.assertFalse(world.issuer.exists())


class Ceremony(HsmCase):
    def test_the_operation_key_moves_from_a_file_into_a_token_and_through_every_card(self):
        world = self.world
        self.check(world.make_issuer(), DONE)
        self.check(world.issue(), DONE)
        self.check(world.online("top-up", "20"), DONE)
        world.make_key("operation-2", "02")
        both = ["--passphrase-file", str(world.root / "passphrase"), "--hsm-pin-file",
                world.pin_file]
        new_key = world.uri("operation-2")
        answer = self.check(world.run("issuer", "add-operation-key", "--operation-key", new_key,
                                      *both), DONE, "new cards get it")
        self.check(world.run("issuer", "add-operation-key", "--operation-key", new_key, *both),
                   REFUSED, "there already")
        status = self.check(world.run("issuer", "status", "--json"), DONE).json()
        self.assertEqual([key["cards"] for key in status["operation_keys"]], [0, 1], answer)

        self.check(world.offline("top-up", "1", *both), DONE)  # still with the old key
        self.check(world.offline("rotate-key", *both, "--id", "ab" * 16), DONE, "replace")
        self.check(world.offline("rotate-key", *both, "--id", "ab" * 16), DONE, "replace")
        self.check(world.offline("rotate-key", *both), DONE, "already")
        status = self.check(world.run("issuer", "status", "--json"), DONE).json()
        self.assertEqual([key["cards"] for key in status["operation_keys"]], [1, 0])

        (world.issuer / "operation.key").rename(world.root / "retired.key")
        self.check(world.hsm("top-up", "2"), DONE, "balance 23.00")
        world.reader = f"loopback:{world.root / 'second'}"
        world.write_private("transport-key", "6b" * 32)
        self.check(world.issue(), DONE)
        self.check(world.hsm("top-up", "3"), DONE, "balance 3.00")
        export = str(world.root / "export")
        self.check(world.run("ledger", "export", export, *both[:2]), DONE)
        self.check(world.run("ledger", "verify", export, "--issuer",
                             str(world.issuer / "issuer.pub")), DONE, "5 entries, 2 cards")

    def test_a_card_whose_key_is_not_at_hand_gets_no_operation_until_it_is(self):
        world = self.world
        self.check(world.make_issuer(), DONE)
        self.check(world.issue(), DONE)
        secret = ["--passphrase-file", str(world.root / "passphrase")]
        self.check(world.run("issuer", "add-operation-key", *secret), DONE)
        old = world.issuer / "operation.key"
        old.rename(world.root / "old.key")
        self.check(world.online("top-up", "1"), REFUSED, "operation key of this card")
        self.check(world.online("rotate-key"), REFUSED, "operation key of this card")
        newest = str(world.issuer / "operation-2.key")
        keys = ["--operation-key", str(world.root / "old.key"), "--operation-key", newest]
        answer = world.online("rotate-key", "--operation-key", str(world.root / "old.key"))
        self.check(answer, REFUSED, "operation key of this card")
        self.check(world.online("rotate-key", *keys), DONE)
        self.check(world.online("top-up", "1"), DONE)

    def test_a_lost_answer_of_a_rotation_is_found_again(self):
        world = self.world
        self.check(world.make_issuer(), DONE)
        self.check(world.issue(), DONE)
        secret = ["--passphrase-file", str(world.root / "passphrase")]
        self.check(world.run("issuer", "add-operation-key", *secret), DONE)
        plan = world.root / "plan"
        plan.write_text("tallycard-faults 1\nins 32 at 1 remove-after\n")
        broken = {"reader": f"fault:{plan},{world.reader}"}
        words = ["rotate-key", "--id", "cd" * 16]
        self.assertEqual(world.online(*words, **broken).code, 2)
        self.check(world.online(*words), DONE)
        self.check(world.online("top-up", "1"), DONE)
        status = self.check(world.run("issuer", "status", "--json"), DONE).json()
        self.assertEqual([key["cards"] for key in status["operation_keys"]], [1, 0])

    def test_the_card_root_key_is_made_on_another_medium_and_used_from_there(self):
        world = self.world
        medium = world.root / "medium"
        medium.mkdir()
        world.write_private("passphrase", "secret words\n")
        world.write_private("transport-key", "5a" * 32)
        secret = ["--passphrase-file", str(world.root / "passphrase")]
        root = str(medium / "root.key")
        self.check(world.run("issuer", "init", "--name", "x", "--card-root", root, *secret), DONE)
        self.assertEqual((world.issuer / "card-root.key").read_text(), root + "\n")
        self.check(world.issue(), DONE)
        medium.rename(world.root / "taken-out")
        world.write_private("transport-key", "6b" * 32)
        world.reader = f"loopback:{world.root / 'second'}"
        self.check(world.issue(), REFUSED, "no such file")
        self.check(world.issue("--card-root", str(world.root / "taken-out/root.key")), DONE)


class Wrong(HsmCase):
    def test_a_wrong_pin_is_tried_once_and_signs_nothing(self):
        world = self.world
        self.check(world.make_hsm_issuer(), DONE)
        self.check(world.issue_by_hsm(), DONE)
        wrong = world.write_private("wrong", "11111111\n")
        answer = world.offline("top-up", "1", "--hsm-pin-file", wrong, "--json")
        self.assertEqual((answer.code, answer.json()["error"]["code"]),
                         (REFUSED, "token_pin_wrong"), answer)
        self.assertEqual(world.balance(), 0)
        self.check(world.hsm("top-up", "1"), DONE)

    def test_a_token_that_is_gone_signs_nothing_and_works_when_it_is_back(self):
        world = self.world
        self.check(world.make_hsm_issuer(), DONE)
        self.check(world.issue_by_hsm(), DONE)
        tokens = world.root / "tokens"
        tokens.rename(world.root / "away")
        tokens.mkdir()
        words = ["top-up", "1", "--id", "ef" * 16]
        self.check(world.hsm("top-up", "1"), REFUSED, "no such token")
        self.check(world.hsm(*words), IN_DOUBT, "no such token")  # it may have been asked before
        self.check(world.offline("pay", "0.01", "--to", "S"), REFUSED, "not enough value")
        tokens.rmdir()
        (world.root / "away").rename(tokens)
        self.check(world.hsm(*words), DONE, "balance 1.00")

    def test_another_issuers_key_is_refused(self):
        world = self.world
        self.check(world.make_hsm_issuer(), DONE)
        self.check(world.issue_by_hsm(), DONE)
        answer = world.hsm("top-up", "1", "--operation-key", world.uri("checkpoint"))
        self.check(answer, REFUSED, "issuer.pub does not name")
        pin = ["--hsm-pin-file", world.pin_file]
        answer = world.run("ledger", "checkpoint", "--checkpoint-key", world.uri("operation"), *pin)
        self.check(answer, REFUSED, "checkpoint key")
        answer = world.hsm("issue", "--transport-key-file", str(world.root / "transport-key"),
                           "--card-root", world.uri("operation"), "--without-pin",
                           reader=f"loopback:{world.root / 'other'}")
        self.check(answer, REFUSED)
        self.assertEqual(world.balance(), 0)

    def test_a_uri_that_does_not_read_makes_no_issuer_and_shows_no_pin(self):
        world = self.world
        world.write_private("passphrase", "secret words\n")
        base = ["issuer", "init", "--name", "x", "--passphrase-file",
                str(world.root / "passphrase"), "--operation-key"]
        for uri, said in (("pkcs11:object=a", "module-path is missing"),
                          (world.uri("a", more="&pin-value=4711"), "pin-value shows the PIN"),
                          (world.uri("a", more="&x=1"), "known here"),
                          (world.uri("operation"), "no such key|PIN")):
            answer = world.run(*base, uri)
            self.check(answer, REFUSED, said)
            self.assertNotIn("4711", answer.out + answer.err)
            self.assertFalse(world.issuer.exists())
        answer = world.run(*base, f"pkcs11:object=a?module-path={world.root}/none.so")
        self.check(answer, REFUSED, "PKCS#11 module: there is no such file")
        self.check(world.run(*base), USAGE)


if __name__ == "__main__":
    unittest.main()
