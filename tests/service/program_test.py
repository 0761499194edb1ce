# SPDX-License-Identifier: Apache-2.0
"""program_test.py BUILD: tallycard-issuerd as people run it, and the tallycard tool before it."""
import contextlib
import os
import pathlib
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

from service_process import ServiceProcess  # noqa: E402
from tallycard_world import (  # noqa: E402
    DONE, IN_DOUBT, PASSPHRASE, REFUSED, USAGE, World, build_folder)

SOURCE = pathlib.Path(__file__).resolve().parents[2]


class Served(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.folder = self.world.issuer
        self.service = self.start("--init", "--name", "demo.example")
        self.world.issuer = self.service.url
        self.world.write_private("transport-key", "07" * 32)
        self.world.write_private("passphrase", f"{PASSPHRASE}\n")  # of the owner's key
        self.world.environment |= {"TALLYCARD_CA": str(self.folder / "tls.crt")}
        self.be("operator")

    def tearDown(self):
        self.service.stop()
        self.world.remove()

    def start(self, *words):
        return ServiceProcess(build_folder, "-i", self.folder, "--listen", "127.0.0.1:0", *words)

    def restart(self):
        self.service = self.start()
        self.world.issuer = self.service.url

    def be(self, client):
        self.world.environment |= {
            "TALLYCARD_TOKEN_FILE": str(self.folder / f"{client}.token"),
            "TALLYCARD_TERMINAL": client}

    def token(self, client):
        return (self.folder / f"{client}.token").read_text().strip()

    def check(self, answer, code, text=""):
        self.assertEqual(answer.code, code, answer)
        if text:
            self.assertRegex(answer.out + answer.err, text, answer)

    def issue(self):
        secret = self.folder / "passphrase"
        self.check(self.world.offline(
            "issue", "--transport-key-file", str(self.world.root / "transport-key"),
            "--without-pin", "--passphrase-file", str(secret),
            "--card-root", str(self.folder / "card-root.key")), DONE, "issued")

    def request(self, method, path, client, body=None):
        return self.service.request(self.folder / "tls.crt", method, path,
                                    client and self.token(client), body)


class Story(Served):
    def test_one_command_starts_it_and_the_tool_does_all_over_https(self):
        self.issue()
        self.check(self.world.account("open", "SHOP-1"), DONE)
        self.be("terminal-1")
        self.check(self.world.offline("top-up", "50", "--id", "ab" * 16), DONE, r"balance 50\.00")
        self.check(self.world.offline("transfer", "5", "--to", "SHOP-1"), DONE, r"balance 45\.00")
        self.check(self.world.offline("pay", "3", "--to", "SHOP-1"), DONE, r"balance 42\.00")
        self.check(self.world.run("settle"), DONE, "settled")
        self.check(self.world.offline("cash-out", "2"), DONE, r"balance 40\.00")
        # The service died; the same id is the same operation.
        self.service.signal(signal.SIGKILL)
        self.service.process.wait(timeout=60)
        self.check(self.world.offline("top-up", "1"), REFUSED, "cannot be reached")
        self.restart()
        self.check(self.world.offline("top-up", "50", "--id", "ab" * 16), DONE, "ledger entry 1")
        self.check(self.world.offline("resolve"), DONE, r"balance 40\.00")
        self.check(self.world.offline("block"), REFUSED, "does not let this client")
        self.be("operator")
        self.check(self.world.offline("block"), DONE)
        self.check(self.world.run("accounts", "--json"), DONE, '"sum": ?{"text":"0.00')
        self.check(self.world.run("issuer", "status"), REFUSED, "name the issuer's folder")
        self.check(self.world.offline(
            "info", "--pinned", str(self.folder / "issuer.pub")), DONE)

    def test_the_books_of_the_service_are_the_folders(self):
        self.issue()
        self.be("terminal-1")
        self.check(self.world.offline("top-up", "50"), DONE)
        self.assertEqual(self.service.stop(), 0)
        secret = ["--passphrase-file", str(self.folder / "passphrase")]
        self.check(self.world.run("ledger", "verify", "-i", str(self.folder), *secret), DONE,
                   "the ledger is right: 1 entry, ")


class Running(Served):
    def test_a_hangup_reads_clients_and_certificates_again(self):
        self.assertEqual(self.request("GET", "/v1/issuer", "auditor").status, 200)
        clients = self.folder / "clients"
        text = clients.read_text()
        clients.write_text(text.split("[client auditor]")[0])
        self.service.signal(signal.SIGHUP)
        self.service.wait_for("reloaded")
        self.assertEqual(self.request("GET", "/v1/issuer", "auditor").status, 401)
        self.assertEqual(self.request("GET", "/v1/issuer", "operator").status, 200)
        clients.write_text(text + "nonsense\n")
        self.service.signal(signal.SIGHUP)
        self.assertIn("line", self.service.wait_for("not reloaded")["reason"])
        self.assertEqual(self.request("GET", "/v1/issuer", "operator").status, 200)

    def test_it_stops_when_told_and_logs_no_secret(self):
        self.request("GET", "/v1/accounts", "terminal-1")
        self.request("GET", "/v1/issuer", None)
        self.service.wait_for("request", code="not_permitted")
        self.service.wait_for("request", code="client_unknown")
        self.assertEqual(self.service.stop(), 0)
        self.service.wait_for("stopped")
        log = self.service.log()
        for client in ("operator", "terminal-1", "auditor"):
            self.assertNotIn(self.token(client), log)
        self.assertNotIn((self.folder / "passphrase").read_text().strip(), log)

    def test_metrics_count_what_was_asked(self):
        self.request("GET", "/v1/issuer", "operator")
        text = self.request("GET", "/metrics", "auditor").body.decode()
        self.assertIn('tallycard_requests_total{route="/v1/issuer",status="200"} 1', text)
        self.assertIn("tallycard_ledger_entries 0", text)
        self.assertEqual(self.request("GET", "/metrics", None).status, 401)

    def test_secret_files_are_their_owners_alone(self):
        for name in ("passphrase", "operation.key", "card-root.key", "tls.key", "operator.token",
                     "store.db", "clients", "usage.db"):
            self.assertEqual((self.folder / name).stat().st_mode & 0o777, 0o600, name)

    def test_two_services_at_one_port_are_refused(self):
        answer = subprocess.run(
            [self.service.program, "-i", str(self.folder), "--listen",
             f"127.0.0.1:{self.service.port}"], capture_output=True, text=True, timeout=60)
        self.assertEqual(answer.returncode, 1)
        self.assertIn("address and port", answer.stderr)


class Breaking(Served):
    def test_a_disk_that_is_full_is_named_and_loses_nothing(self):
        self.issue()
        self.be("terminal-1")
        self.check(self.world.offline("top-up", "50"), DONE)
        self.check(self.world.offline("pay", "3", "--to", "SHOP-1"), DONE)
        service = self.service.process.pid
        _, most = resource.prlimit(service, resource.RLIMIT_FSIZE)
        resource.prlimit(service, resource.RLIMIT_FSIZE, (0, most))
        answer = self.world.offline("top-up", "1", "--id", "cd" * 16)
        self.assertIn(answer.code, (REFUSED, IN_DOUBT), answer)
        self.assertRegex(answer.err, "disk|store")
        self.assertNotEqual(self.world.run("settle").code, DONE)
        self.assertEqual(self.request("GET", "/v1/issuer", "operator").status, 200)
        self.assertEqual(self.world.balance(), 4700)
        resource.prlimit(service, resource.RLIMIT_FSIZE, (most, most))
        self.check(self.world.run("settle"), DONE, "settled")
        self.check(self.world.offline("top-up", "1", "--id", "cd" * 16), DONE, r"balance 48\.00")
        self.be("operator")
        self.assertEqual(self.world.books()["cash/terminal-1"], -5100)

    def test_a_store_of_a_newer_version_is_refused_and_not_touched(self):
        self.assertEqual(self.service.stop(), 0)
        store = self.folder / "store.db"
        with contextlib.closing(sqlite3.connect(store)) as database:
            database.execute("PRAGMA user_version = 99")
        before = store.read_bytes()
        answer = subprocess.run([self.service.program, "-i", str(self.folder)],
                                capture_output=True, text=True, timeout=60)
        self.assertEqual(answer.returncode, 1)
        self.assertIn("a newer version of tallycard wrote this store", answer.stderr)
        self.assertEqual(store.read_bytes(), before)

    def test_another_issuers_store_is_refused(self):
        self.assertEqual(self.service.stop(), 0)
        other = self.world.root / "other"
        ServiceProcess(build_folder, "-i", other, "--listen", "127.0.0.1:0", "--init", "--name",
                       "other.example").stop()
        config = self.world.write_private(
            "config", f"folder = {other}\nstore = {self.folder / 'store.db'}\n")
        answer = subprocess.run([self.service.program, "-c", config], capture_output=True,
                                text=True, timeout=60)
        self.assertEqual(answer.returncode, 1)
        self.assertIn("issuer of the store", answer.stderr)


class Refusing(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.remove)

    def run_it(self, *words):
        program = str(pathlib.Path(build_folder) / "src/service/tallycard-issuerd")
        return subprocess.run([program, *words], capture_output=True, text=True, timeout=60)

    def test_a_wrong_configuration_is_refused_with_its_line(self):
        config = self.world.write_private("config", "listen = 127.0.0.1:0\n\ncolour = red\n")
        answer = self.run_it("--config", config, "--check")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("no such setting", answer.stderr)
        self.assertIn("line 3", answer.stderr)

    def test_the_examples_of_the_documentation_are_right(self):
        text = (SOURCE / "docs/service.md").read_text()
        blocks = [block.split("```")[0] for block in text.split("```ini\n")[1:]]
        configs = [block for block in blocks if "folder = " in block]
        self.assertEqual(len(configs), 2)
        for config in configs:
            path = self.world.write_private("config", config)
            answer = self.run_it("--config", path, "--check")
            self.assertEqual(answer.returncode, 0, answer.stderr)

    def test_what_is_missing_is_named(self):
        answer = self.run_it("-i", str(self.world.issuer))
        self.assertEqual(answer.returncode, 1)
        self.assertIn("issuer.pub", answer.stderr)
        self.assertEqual(self.run_it("--colour").returncode, USAGE)
        self.assertEqual(self.run_it("--help").returncode, 0)

    def test_the_units_of_systemd_are_right(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("no systemd-analyze")
        for program in ("src/service/tallycard-issuerd", "src/witness/tallycard-witness"):
            with self.subTest(program):
                self.check_unit(pathlib.Path(build_folder).resolve() / program)

    def check_unit(self, program):
        text = program.with_name(f"{program.name}.service").read_text()
        here = self.world.root / f"{program.name}.service"
        here.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={program}", text, flags=re.M))
        answer = subprocess.run(["systemd-analyze", "verify", "--man=no", str(here)],
                                capture_output=True, text=True, timeout=60,
                                env=os.environ | {"SYSTEMD_LOG_LEVEL": "err"})
        self.assertEqual(answer.returncode, 0, answer.stderr)
        answer = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20",
             str(here)], capture_output=True, text=True, timeout=60)
        self.assertEqual(answer.returncode, 0, answer.stdout + answer.stderr)


if __name__ == "__main__":
    unittest.main()
