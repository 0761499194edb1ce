# SPDX-License-Identifier: Apache-2.0
"""witness_test.py BUILD: an issuer with three witnesses, two of ours and one of somebody else; and
one of ours before somebody else's log."""
import pathlib
import shutil
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

from service_process import ServiceProcess, WitnessProcess  # noqa: E402
from somebody_else import ForeignLog, ForeignWitness, verifies  # noqa: E402
from tallycard_world import DONE, REFUSED, USAGE, World, build_folder, wait_until  # noqa: E402

PROGRAM = pathlib.Path(build_folder) / WitnessProcess.place


class Case(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.remove)
        self.root = self.world.root

    def check(self, answer, code, text=""):
        self.assertEqual(answer.code, code, answer)
        if text:
            self.assertRegex(answer.out + answer.err, text, answer)

    def witness(self, *words, stdin=""):
        done = subprocess.run([PROGRAM, *map(str, words)], input=stdin, capture_output=True,
                              text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def make_witness(self, name, *logs):
        folder = self.root / name
        code, out, err = self.witness("init", "-f", folder, "--name", f"{name}.example",
                                      *(word for log in logs for word in ("--log", log)))
        self.assertEqual(code, 0, err)
        return folder, out.strip()

    def serve(self, folder, listen="127.0.0.1:0"):
        process = WitnessProcess(build_folder, "serve", "-f", folder, "--listen", listen)
        self.addCleanup(process.stop)
        return process


class Program(Case):
    def test_a_making_that_was_interrupted_is_carried_on(self):
        log = ForeignLog(self.root, "log.example/2026")
        folder, vkey = self.make_witness("w1", log.key.vkey)
        for gone in (("witness.pub",), ("witness.pub", "tls.crt"),
                     ("witness.pub", "tls.crt", "tls.key"),
                     ("witness.pub", "tls.crt", "tls.key", "logs")):
            for name in gone:
                (folder / name).unlink()
            self.assertEqual(self.make_witness("w1", log.key.vkey)[1], vkey)
        (folder / "witness.pub").unlink()
        arguments = ("init", "-f", folder, "--name", "w1.example")
        code, _, err = self.witness(*arguments)  # without its log
        self.assertEqual((code, "logs" in err), (REFUSED, True), err)
        (folder / "passphrase").unlink()
        code, _, err = self.witness(*arguments, "--log", log.key.vkey)
        self.assertEqual((code, "passphrase" in err), (REFUSED, True), err)
        self.assertFalse((folder / "passphrase").exists())

    def test_a_log_of_somebody_else_is_witnessed_over_https(self):
        log = ForeignLog(self.root, "log.example/2026")
        folder, vkey = self.make_witness("w1", log.key.vkey)
        process = self.serve(folder)

        def post(body, path="/add-checkpoint"):
            connection = process.connection(folder / "tls.crt")
            connection.request("POST", path, body.encode())
            answer = connection.getresponse()
            reply = answer.status, answer.headers["Content-Type"], answer.read().decode()
            connection.close()
            return reply

        for old, size in ((0, 5), (5, 8), (8, 8), (8, 130)):
            status, _, line = post(log.request(old, size))
            self.assertEqual(status, 200, line)
            self.assertTrue(verifies(self.root, vkey, line, log.text(size)))
        self.assertEqual(post(log.request(5, 140)), (409, "text/x.tlog.size", "130\n"))
        log.leaves[7] = bytes(32)
        self.assertEqual(post(log.request(130, 130))[0], 409)
        self.assertIn("an extension of this log", process.wait_for("fork")["note"])
        self.assertEqual(post(log.request(130, 140))[0], 422)
        self.assertEqual(post("old 130\n\nnonsense\n")[0], 400)
        self.assertEqual(post(log.request(0, 1), "/elsewhere")[0], 404)
        self.assertEqual(post("x" * 200_000)[0], 413)
        stranger = ForeignLog(self.root, "stranger.example")
        self.assertEqual(post(stranger.request(0, 1))[0], 404)
        with open(folder / "logs", "a", encoding="utf-8") as logs:
            logs.write(f"log {stranger.key.vkey}\n")
        process.signal(signal.SIGHUP)
        process.wait_for("reloaded")
        self.assertEqual(post(stranger.request(0, 1))[0], 200)
        code, out, _ = self.witness("show", "-f", folder)
        self.assertEqual(code, 0)
        self.assertIn("log.example/2026: cosigned up to 130", out)
        code, _, err = self.witness("sign", "-f", folder, stdin=log.request(130, 140))
        self.assertEqual(code, REFUSED)
        self.assertIn("another process", err)
        self.assertEqual(process.stop(), 0)

    def test_one_request_at_a_time_without_a_network(self):
        log = ForeignLog(self.root, "log.example")
        folder, vkey = self.make_witness("w1", log.key.vkey)
        code, line, err = self.witness("sign", "-f", folder, stdin=log.request(0, 3))
        self.assertEqual(code, 0, err)
        self.assertTrue(verifies(self.root, vkey, line, log.text(3)))
        for request, why in ((log.request(0, 4), "old 3"), ("nonsense", "malformed"),
                             (ForeignLog(self.root, "s.example").request(0, 1), "not among")):
            code, out, err = self.witness("sign", "-f", folder, stdin=request)
            self.assertEqual((code, out), (REFUSED, ""))
            self.assertIn(why, err)
        log.leaves[0] = bytes(32)
        self.assertIn("FORK", self.witness("sign", "-f", folder, stdin=log.request(3, 3))[2])

    def test_wrong_words_and_files_are_refused_by_name(self):
        folder, _ = self.make_witness("w1")
        for words, code, why in (
                ((), USAGE, "subcommand"), (("sing",), USAGE, ""), (("init",), USAGE, "--name"),
                (("init", "-f", self.root / "n", "--name", "a b"), REFUSED, "name of the witness"),
                (("init", "-f", folder, "--name", "w"), REFUSED, "already"),
                (("init", "-f", self.root / "n", "--name", "w", "--log", "x"), REFUSED, "--log"),
                (("show", "-f", self.root / "none"), REFUSED, "witness.pub"),
                (("sign", "-f", folder, self.root / "none"), REFUSED, "request"),
                (("serve", "-f", folder, "--listen", "nowhere"), REFUSED, "ADDRESS:PORT")):
            got, _, err = self.witness(*words)
            self.assertEqual(got, code, (words, err))
            self.assertIn(why, err)
        for file in folder.iterdir():
            self.assertEqual(file.stat().st_mode & 0o077, 0, file)
        (folder / "passphrase").chmod(0o644)
        self.assertIn("chmod 600", self.witness("sign", "-f", folder, stdin="x")[2])
        (folder / "passphrase").chmod(0o600)
        (folder / "passphrase").write_text("wrong\n")
        self.assertEqual(self.witness("sign", "-f", folder, stdin="x")[0], REFUSED)
        (folder / "logs").write_text("log nonsense\nquorum none\n")
        self.assertIn("line 1", self.witness("show", "-f", folder)[2])


class Consortium(Case):
    """Two of three witnesses are wanted."""

    def setUp(self):
        super().setUp()
        self.folder = self.world.issuer
        self.service = ServiceProcess(build_folder, "-i", self.folder, "--listen", "127.0.0.1:0",
                                      "--init", "--name", "demo.example")
        self.assertEqual(self.service.stop(), 0)
        key = self.world.run("ledger", "key").out.strip()
        self.foreign = ForeignWitness(self.root)
        self.addCleanup(self.foreign.stop)
        self.folders, self.witnesses, policy = [], [], ""
        authorities = self.foreign.certificate.read_text()
        for name in ("w1", "w2"):
            folder, vkey = self.make_witness(name, key)
            self.folders.append(folder)
            self.witnesses.append(self.serve(folder))
            authorities += (folder / "tls.crt").read_text()
            policy += f"witness {name} {vkey} {self.witnesses[-1].url}\n"
        policy += (f"witness foreign {self.foreign.key.vkey} {self.foreign.url}\n"
                   "group two 2 w1 w2 foreign\nquorum two\n")
        self.policy = self.world.write_private("policy", policy)
        self.world.write_private("authorities", authorities)
        self.config = self.world.write_private(
            "config", f"folder = {self.folder}\nlisten = 127.0.0.1:0\nledger-public = yes\n"
            f"witness-policy = {self.policy}\nwitness-authority = {self.root / 'authorities'}\n")
        self.secret = ["--passphrase-file", str(self.folder / "passphrase")]
        self.world.write_private("transport-key", "07" * 32)
        self.start()
        self.check(self.remote("operator", "issue", "--transport-key-file",
                               str(self.root / "transport-key"), "--without-pin", *self.secret,
                               "--card-root", str(self.folder / "card-root.key")), DONE)

    def start(self):
        self.service = ServiceProcess(build_folder, "--config", self.config)
        self.addCleanup(self.service.stop)

    def remote(self, client, *words):
        self.world.environment |= {
            "TALLYCARD_CA": str(self.folder / "tls.crt"),
            "TALLYCARD_TOKEN_FILE": str(self.folder / f"{client}.token"),
            "TALLYCARD_TERMINAL": client}
        self.world.issuer, here = self.service.url, self.world.issuer
        answer = self.world.offline(*words)
        self.world.issuer = here
        return answer

    def top_up(self, amount="1"):
        self.check(self.remote("terminal-1", "top-up", amount), DONE)

    def shown(self):
        reply = self.service.request(self.folder / "tls.crt", "GET", "/tlog/checkpoint")
        return reply.body.decode() if reply.status == 200 else ""

    def wait_for(self, size, cosigners):
        def there():
            note = self.shown()
            return f"demo.example\n{size}\n" in note and note.count("\u2014") == cosigners + 1
        wait_until(there, f"{cosigners} cosign {size} entries")

    def audit(self, *words):
        export = str(self.root / "export")
        self.check(self.world.run("ledger", "export", export, *self.secret), DONE)
        return self.world.run("ledger", "verify", export, "--issuer",
                              str(self.folder / "issuer.pub"), "--witness-policy", self.policy,
                              *words)

    def test_the_auditor_is_shown_what_two_of_three_have_seen(self):
        self.top_up()
        self.wait_for(1, cosigners=3)
        self.check(self.audit(), DONE, "the first 1 entry, by w1, w2, foreign")
        # One is killed, and value moves on.
        self.witnesses[0].signal(signal.SIGKILL)
        self.witnesses[0].process.wait(timeout=60)
        self.top_up()
        self.wait_for(2, cosigners=2)
        self.check(self.audit(), DONE, "the first 2 entries, by w2, foreign")
        # Two are gone: nothing waits for them, and the auditor is not content.
        self.assertEqual(self.witnesses[1].stop(), 0)
        self.top_up()
        self.service.wait_for("witness failed", witness="w2")
        self.assertIn("demo.example\n2\n", self.shown())
        self.check(self.audit(), REFUSED, "more entries follow")
        self.check(self.audit("--unwitnessed", "1"), DONE, "the first 2 entries")
        # The one that was killed goes on where it was.
        self.serve(self.folders[0], f"127.0.0.1:{self.witnesses[0].port}")
        self.wait_for(3, cosigners=2)
        self.check(self.audit(), DONE, "the first 3 entries, by w1, foreign")

    def test_an_issuer_who_goes_back_and_on_another_way_gets_no_cosignature(self):
        self.top_up()
        self.wait_for(1, cosigners=3)
        self.assertEqual(self.service.stop(), 0)
        copy, card = self.root / "copy", self.root / "card"
        shutil.copytree(self.folder, copy)
        shutil.copy(card, self.root / "card-copy")
        self.start()
        self.top_up("2")
        self.wait_for(2, cosigners=3)
        self.assertEqual(self.service.stop(), 0)
        # Everything that the issuer has is as it was, so that nothing there tells.
        shutil.rmtree(self.folder)
        shutil.copytree(copy, self.folder)
        shutil.copy(self.root / "card-copy", card)
        self.start()
        self.top_up("3")
        reason = self.service.wait_for("witness failed", witness="w1")["reason"]
        self.assertIn("fork", reason)
        self.assertIn("note", self.witnesses[0].wait_for("fork"))
        self.assertIn("demo.example\n1\n", self.shown())
        self.check(self.audit(), REFUSED, "more entries follow")


if __name__ == "__main__":
    unittest.main()
