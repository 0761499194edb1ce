# SPDX-License-Identifier: Apache-2.0
"""engines_test.py BUILD MODULE: tallycard-issuerd over PostgreSQL (private_postgres.sh) with its keys
in SoftHSM2: several before one database, one of them killed, and another issuer's."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

from cli_pkcs11_test import HSM_PIN, HsmWorld  # noqa: E402
from service_process import ServiceProcess  # noqa: E402
from tallycard_world import DONE, REFUSED, ToolCase, World, build_folder, wait_until  # noqa: E402

FOLDER = os.environ["TALLYCARD_TEST_POSTGRES_FOLDER"]
TILLS, ROUNDS = 4, 5
databases = 0


def run_sql(database, statement):
    psql = pathlib.Path(os.environ["TALLYCARD_TEST_POSTGRES_BIN"]) / "psql"
    return subprocess.run([psql, "-q", "-A", "-t", "-d", database, "-c", statement], check=True,
                          capture_output=True, text=True).stdout.strip()


def new_database():
    global databases
    databases += 1
    name = f"engine_{databases}"
    run_sql(os.environ["TALLYCARD_TEST_POSTGRES"], f"CREATE DATABASE {name}")
    return f"postgresql:///{name}?host={FOLDER}&user=tallycard"


class Till:
    """A terminal with a card of its own. Where one service does not answer it asks the next one."""

    def __init__(self, case, number):
        self.case, self.number, self.done = case, number, 0
        self.world = World()
        case.addCleanup(self.world.remove)
        self.world.environment |= {
            "TALLYCARD_CA": str(case.folder / "tls.crt"), "TALLYCARD_TERMINAL": "terminal-1",
            "TALLYCARD_TOKEN_FILE": str(case.folder / "terminal-1.token")}

    def issue(self):
        self.world.issuer = self.case.services[0].url
        key = self.world.write_private("transport-key", f"{self.number:02x}" * 32)
        self.case.check(self.world.offline(
            "issue", "--transport-key-file", key, "--without-pin",
            "--token-file", str(self.case.folder / "operator.token"),
            "--passphrase-file", str(self.case.folder / "passphrase"),
            "--card-root", str(self.case.folder / "card-root.key")), DONE)

    def until_done(self, *words, way):
        for attempt in range(50):
            services = self.case.services
            self.world.issuer = services[(self.number + attempt) % len(services)].url
            answer = way(*words)
            if answer.code == DONE:
                return
        raise AssertionError(f"never done: {answer}")

    def work(self):
        for turn in range(ROUNDS):
            name = f"{self.number:02x}{turn:02x}" * 8
            self.until_done("top-up", "1", "--id", name, way=self.world.offline)
            self.until_done("pay", "0.40", "--to", "SHOP-1", way=self.world.offline)
            self.until_done("settle", way=self.world.run)
            self.done += 1


class Engines(ToolCase):
    def setUp(self):
        self.hsm = HsmWorld()
        self.addCleanup(self.hsm.remove)
        self.hsm.make_key("operation", "01")
        self.hsm.make_key("checkpoint", "02")
        self.folder = self.hsm.issuer
        self.store = new_database()
        self.services = []
        self.addCleanup(self.stop)

    def stop(self):
        for service in self.services:
            service.stop()

    def config(self, name, **more):
        lines = {"folder": self.folder, "listen": "127.0.0.1:0", "store": self.store,
                 "operation-key": self.hsm.uri("operation"),
                 "checkpoint-key": self.hsm.uri("checkpoint"),
                 "hsm-pin-file": self.hsm.pin_file,
                 "usage": self.hsm.root / f"usage-{name}.db"} | more
        text = "".join(f"{key} = {value}\n" for key, value in lines.items() if value)
        return self.hsm.write_private(f"{name}.conf", text)

    def start(self, config, *words):
        return ServiceProcess(build_folder, "--config", config, *words,
                              environment=self.hsm.environment)

    def refused(self, config, *words):
        program = pathlib.Path(build_folder) / "src/service/tallycard-issuerd"
        answer = subprocess.run([program, "--config", config, *words], capture_output=True,
                                text=True, timeout=60, env=self.hsm.environment)
        self.assertEqual(answer.returncode, 1, answer)
        self.assertNotIn(HSM_PIN, answer.stderr)
        return answer.stderr

    def audit(self):
        tool = World()
        self.addCleanup(tool.remove)
        tool.environment |= self.hsm.environment
        tool.issuer = self.folder
        found = self.check(tool.run(
            "ledger", "verify", "--json", "--store", self.store, "--checkpoint-key",
            self.hsm.uri("checkpoint"), "--hsm-pin-file", self.hsm.pin_file), DONE).json()
        tool.environment["TALLYCARD_STORE"] = self.store
        return found, tool.books()

    def test_two_services_on_one_database_and_one_is_killed_nothing_is_lost_or_doubled(self):
        first = self.config("first")
        self.services = [self.start(first, "--init", "--name", "hsm.example"),
                         self.start(self.config("second"))]
        self.assertFalse((self.folder / "store.db").exists())
        self.assertFalse((self.folder / "operation.key").exists())
        tills = [Till(self, number) for number in range(TILLS)]
        for till in tills:
            till.issue()
        threads = [threading.Thread(target=till.work) for till in tills]
        for thread in threads:
            thread.start()
        wait_until(lambda: sum(till.done for till in tills) >= TILLS, "some are done", 60)
        self.services[0].signal(signal.SIGKILL)
        self.services[0].stop()
        self.assertLess(sum(till.done for till in tills), TILLS * ROUNDS, "killed too late")
        self.services[0] = self.start(first)
        for thread in threads:
            thread.join(timeout=120)
        self.assertEqual([till.done for till in tills], [ROUNDS] * TILLS)
        found, books = self.audit()
        self.assertEqual((found["valid"], found["entries"], found["cards"]),
                         (True, 2 * TILLS * ROUNDS, TILLS))
        self.assertEqual(books["cash/terminal-1"], -100 * TILLS * ROUNDS)
        self.assertEqual(books["account/SHOP-1"], 40 * TILLS * ROUNDS)
        for till in tills:
            self.assertEqual(till.world.balance(), 60 * ROUNDS)

    def test_another_issuers_service_on_the_same_database_is_refused(self):
        self.start(self.config("first"), "--init", "--name", "hsm.example").stop()
        other = self.hsm.root / "other"
        mine = {"folder": other, "operation-key": "", "checkpoint-key": "", "hsm-pin-file": ""}
        own = str(other / "store.db")
        self.start(self.config("other", **mine | {"store": own}), "--init", "--name",
                   "other.example").stop()
        said = self.refused(self.config("other", **mine))
        self.assertIn("issuer of the store", said)
        # The same issuer, before it had the key that the database knows.
        shutil.copytree(self.folder, self.hsm.root / "stale")
        self.hsm.make_key("operation-2", "03")
        answer = self.hsm.run("issuer", "add-operation-key", "--operation-key",
                              self.hsm.uri("operation-2"), "--hsm-pin-file", self.hsm.pin_file,
                              "--store", self.store)
        self.check(answer, DONE)
        both = f"{self.hsm.uri('operation')} {self.hsm.uri('operation-2')}"
        self.start(self.config("first", **{"operation-key": both})).stop()
        said = self.refused(self.config("stale", folder=self.hsm.root / "stale"))
        self.assertIn("issuer of the store", said)
        said = self.refused(self.config("stale", folder=self.hsm.root / "stale",
                                        **{"operation-key": both}))
        self.assertIn("issuer.pub does not name", said)

    def test_cards_of_an_older_and_a_newer_operation_key_are_both_served(self):
        config = self.config("first")
        self.services = [self.start(config, "--init", "--name", "hsm.example")]
        old = Till(self, 1)
        old.issue()
        self.stop()
        self.hsm.make_key("operation-2", "03")
        self.check(self.hsm.run("issuer", "add-operation-key", "--operation-key",
                                self.hsm.uri("operation-2"), "--hsm-pin-file", self.hsm.pin_file,
                                "--store", self.store), DONE)
        both = f"{self.hsm.uri('operation')} {self.hsm.uri('operation-2')}"
        self.services = [self.start(self.config("both", **{"operation-key": both}))]
        new = Till(self, 2)
        new.issue()
        for till in (old, new):
            till.work()
            self.assertEqual(till.world.balance(), 60 * ROUNDS)
        # The newer key alone signs for the newer card alone.
        self.stop()
        one = self.config("one", **{"operation-key": self.hsm.uri("operation-2")})
        self.services = [self.start(one)]
        new.until_done("top-up", "1", way=new.world.offline)
        old.world.issuer = self.services[0].url
        self.check(old.world.offline("top-up", "1"), REFUSED, "operation key")
        self.assertEqual(old.world.balance(), 60 * ROUNDS)

    def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(self):
        config = self.config("first")
        self.start(config, "--init", "--name", "hsm.example").stop()
        run_sql(self.store, "UPDATE tallycard_store SET version = 999")
        said = self.refused(config)
        self.assertIn("newer version", said)
        self.assertEqual(run_sql(self.store, "SELECT version FROM tallycard_store"), "999")

    def test_a_database_or_a_token_that_is_not_there_is_named_and_a_pin_is_never_shown(self):
        config = self.config("first")
        self.start(config, "--init", "--name", "hsm.example").stop()
        wrong = self.hsm.write_private("wrong-pin", "11223344\n")
        said = self.refused(self.config("wrong", **{"hsm-pin-file": wrong}))
        self.assertRegex(said, "PIN")
        self.assertNotIn("11223344", said)
        os.chmod(wrong, 0o644)
        said = self.refused(self.config("wrong", **{"hsm-pin-file": wrong}))
        self.assertIn("open to others (chmod 600)", said)
        said = self.refused(self.config("none", **{"hsm-pin-file": ""}))
        self.assertIn("hsm-pin-file (of the configuration)", said)
        none = f"postgresql:///none?host={FOLDER}&user=tallycard"
        self.assertIn('database "none" does not exist',
                      self.refused(self.config("none", store=none)))
        said = self.refused(self.config("none", store="postgres:password=hunter2 host=x"))
        self.assertIn("password file", said)
        self.assertNotIn("hunter2", said)
        tokens = self.hsm.root / "tokens"
        tokens.rename(self.hsm.root / "away")
        tokens.mkdir()
        self.assertIn("no such token", self.refused(config))
        tokens.rmdir()
        (self.hsm.root / "away").rename(tokens)
        self.start(config).stop()


if __name__ == "__main__":
    unittest.main()
