# SPDX-License-Identifier: Apache-2.0
"""cli_pcsc_test.py BUILD: the tallycard tool through a pcscd of the test's own. What is not there,
two terminals at one card, and terminals and cards that are killed: exactly once in the end. Run by
private_pcscd.sh."""
import json
import os
import random
import signal
import socket
import sys
import threading
import time
import unittest

from tallycard_world import DONE, IN_DOUBT, REFUSED, CardProcess, ToolCase, World, wait_until

SEED = int(os.environ.get("TALLYCARD_TEST_SEED", random.SystemRandom().randrange(2 ** 32)))
WORLD = World()
CARD = CardProcess(WORLD, "card", 0, start=False)


def setUpModule():
    unittest.addModuleCleanup(WORLD.remove)
    answer = WORLD.make_issuer()
    assert answer.code == DONE, answer
    CARD.start()
    WORLD.reader = CARD.reader
    for answer in (WORLD.issue("--offline-payments", "15"), WORLD.online("top-up", "50")):
        assert answer.code == DONE, answer


def tearDownModule():
    CARD.stop()


class Case(ToolCase):
    def setUp(self):
        self.random = random.Random(f"{SEED} {self.id()}")

    def identity(self):
        return f"{self.random.getrandbits(128):032x}"

    def until_done(self, words):
        """Again with the same id while it is in doubt: as the tool says to. pcscd may take half a
        second to see that a card is a new one."""
        def is_done():
            self.answer = WORLD.online(*words) if words[0] == "top-up" else WORLD.offline(*words)
            return self.answer.code == DONE
        wait_until(is_done, f"done, not {' '.join(words)}")
        return self.answer

    def go_online(self):
        """Settles, and starts the card's count of offline payments afresh."""
        self.check(WORLD.run("settle"), DONE)
        self.check(WORLD.online("set-limits", "--offline-payments", "15"), DONE)

    def check_books(self):
        self.check(WORLD.run("settle"), DONE)
        books = WORLD.books()
        card = next(value for name, value in books.items() if name.startswith("card/"))
        self.assertEqual(card, WORLD.balance())
        answer = WORLD.run("ledger", "verify", "--passphrase-file", f"{WORLD.root}/passphrase")
        self.check(answer, DONE, "the ledger is right")


class OtherCard:
    """A card of another kind in the second reader: it knows no application."""
    atr = bytes.fromhex("3B80800101")

    def __init__(self):
        port = int(os.environ["TALLYCARD_VPCD_PORT"]) + 1
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.thread = threading.Thread(target=self.answer)
        self.thread.start()

    def answer(self):
        with self.socket.makefile("rb") as requests:
            while len(size := requests.read(2)) == 2:
                request = requests.read(int.from_bytes(size, "big"))
                if request == b"\x04":
                    self.send(self.atr)
                elif len(request) > 1:  # else power and reset
                    self.send(bytes.fromhex("6A82"))

    def send(self, answer):
        self.socket.sendall(len(answer).to_bytes(2, "big") + answer)

    def is_inserted(self):
        rows = WORLD.run("readers", "--json").json()["readers"]
        return any(row.get("atr") == self.atr.hex() for row in rows)

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()
        wait_until(lambda: not self.is_inserted(), "the other card is gone from its reader")


class Absent(Case):
    def test_watching_prints_what_happens_until_it_is_interrupted(self):
        watch = WORLD.start("readers", "--watch", "--json")
        seen = [json.loads(watch.stdout.readline()) for _ in range(4)]
        self.assertEqual([line["event"] for line in seen],
                         ["service_up", "reader_arrived", "reader_arrived", "card_in"])
        self.assertEqual(seen[3]["reader"], CARD.reader)
        self.assertIn("atr", seen[3])
        CARD.stop()
        self.assertEqual(json.loads(watch.stdout.readline()),
                         {"event": "card_out", "reader": CARD.reader})
        CARD.start()
        self.assertEqual(json.loads(watch.stdout.readline())["event"], "card_in")
        watch.send_signal(signal.SIGTERM)
        rest, errors = watch.communicate(timeout=20)
        self.assertEqual((watch.returncode, rest, errors), (DONE, "", ""))

    def test_a_card_of_another_kind_is_refused(self):
        other, reader = OtherCard(), {"reader": "Virtual PCD 00 01"}
        self.addCleanup(other.stop)
        wait_until(other.is_inserted, "the other card shows in its reader")
        for words in (["balance"], ["info"], ["history"], ["pay", "1", "--to", "S"]):
            self.check(WORLD.offline(*words, **reader), REFUSED, "not a card of this issuer; use")
        self.check(WORLD.online("top-up", "1", **reader), REFUSED, "not a card of this issuer; use")
        self.check(WORLD.issue(**reader), REFUSED, "not a card of this issuer; use")
        answer = WORLD.run("doctor")
        self.check(answer, REFUSED, "BAD +card in 'Virtual PCD 00 01'.*-> use a card of this")
        self.check_books()

    def test_no_service_says_how_to_start_it(self):
        remedy = "service does not answer; start pcscd"
        WORLD.environment["PCSCLITE_CSOCK_NAME"] = str(WORLD.root / "nobody")
        try:
            for words in (["readers"], ["balance"], ["info"], ["pay", "1", "--to", "S"]):
                self.check(WORLD.run(*words), REFUSED, remedy)
            self.check(WORLD.online("top-up", "1"), REFUSED, remedy)
            answer = WORLD.run("doctor")
            self.check(answer, REFUSED, "BAD +PC/SC service.*-> apt-get install pcscd")
            WORLD.run("doctor", "--json").json()
        finally:
            del WORLD.environment["PCSCLITE_CSOCK_NAME"]
        self.check_books()

    def test_a_reader_that_is_not_there_is_named_as_such(self):
        for reader in ("7", "99999999999999999999", "No Such Reader", "-1"):
            answer = WORLD.run("balance", f"--reader={reader}")
            self.check(answer, REFUSED, "no such reader; list them with 'tallycard readers'")

    def test_a_reader_without_a_card_says_so(self):
        empty = {"reader": "Virtual PCD 00 01"}
        for words in (["balance"], ["pay", "1", "--to", "S"]):
            self.check(WORLD.offline(*words, **empty), REFUSED, "no card in the reader; insert")
        self.check(WORLD.offline("balance", "--wait", "1", **empty), REFUSED, "deadline passed")

    def test_doctor_names_the_other_programs(self):
        watch = WORLD.start("readers", "--watch", "--json")
        try:
            json.loads(watch.stdout.readline())
            answer = WORLD.run("doctor")
            self.check(answer, DONE, rf"ok +other programs +tallycard \(process {watch.pid}\)")
        finally:
            watch.send_signal(signal.SIGTERM)
            watch.communicate(timeout=20)

    def test_a_reader_is_chosen_by_index_and_by_default(self):
        self.assertEqual(WORLD.balance(reader="0"), WORLD.balance(reader=CARD.reader))
        self.assertEqual(WORLD.balance(reader=None), WORLD.balance())

    def test_readers_and_doctor_print_objects(self):
        self.assertEqual(len(WORLD.run("readers", "--json").json()["readers"]), 2)
        self.assertTrue(WORLD.run("doctor", "--json").json()["findings"])


class Relayed(Case):
    """A card behind a plan of faults, in a reader of pcscd: what an integrator does to a till."""

    def test_a_fault_behind_pcscd_ends_definite(self):
        (WORLD.root / "plan").write_text("tallycard-faults 1\n"
                                         "ins 32 at 1 drop 40\n"
                                         "ins 34 at 1 remove-after 50\n"
                                         "ins 34 at 3 reset-before\n")
        CARD.stop()
        relay = CardProcess(WORLD, "card", 0, start=False)
        relay.command = [WORLD.vicc_path, "--port", os.environ["TALLYCARD_VPCD_PORT"],
                         "--card", f"fault:{WORLD.root}/plan,loopback:{WORLD.root}/card"]
        relay.start()
        try:
            before, in_doubt = WORLD.balance(), 0
            for words in (["top-up", "3"], ["pay", "1", "--to", "SHOP-1"],
                          ["pay", "1", "--to", "SHOP-1"]):
                words = [*words, "--id", self.identity(), "--wait", "20"]
                answer = WORLD.online(*words) if words[0] == "top-up" else WORLD.offline(*words)
                self.assertIn(answer.code, (DONE, IN_DOUBT), answer)
                in_doubt += answer.code == IN_DOUBT
                self.until_done(words)
            self.assertGreater(in_doubt, 0)
            self.assertEqual(WORLD.balance(), before + 100)
            self.check_books()
        finally:
            relay.stop()
            CARD.start()


class TwoTerminals(Case):
    def test_payments_at_the_same_time_are_each_once(self):
        self.go_online()
        journals = [WORLD.root / name for name in ("journal-1", "journal-2")]
        before, rounds, kept = WORLD.balance(), 5, WORLD.journal
        try:
            for _ in range(rounds):
                processes = []
                for journal in journals:
                    WORLD.journal = journal
                    processes.append(WORLD.start("pay", "0.10", "--to", journal.name.upper(),
                                                 reader=CARD.reader))
                for answer in [WORLD.finish(process) for process in processes]:
                    self.check(answer, DONE)
            for journal in journals:  # what waits for the other till's is kept
                WORLD.journal = journal
                self.assertIn(WORLD.run("settle").code, (DONE, IN_DOUBT))
            for journal in journals:
                WORLD.journal = journal
                self.check(WORLD.run("settle"), DONE)
        finally:
            WORLD.journal = kept
        self.assertEqual(WORLD.balance(), before - 2 * rounds * 10)
        self.check_books()
        for journal in journals:
            self.assertEqual(WORLD.books()["account/" + journal.name.upper()], rounds * 10)

    def test_top_ups_at_the_same_time_are_each_once(self):
        before, secret = WORLD.balance(), ["--passphrase-file", f"{WORLD.root}/passphrase"]
        for _ in range(3):
            commands = [["top-up", "0.10", "--journal", f"{WORLD.root}/journal-{till}",
                         "--id", self.identity()] for till in (1, 2)]
            processes = [WORLD.start(*words, *secret, reader=CARD.reader) for words in commands]
            for process, words in zip(processes, commands):
                answer = WORLD.finish(process)
                self.assertIn(answer.code, (DONE, REFUSED, IN_DOUBT), answer)
                self.until_done(words)
        self.assertEqual(WORLD.balance(), before + 6 * 10)
        self.check_books()


class Killed(Case):
    rounds = 12

    def duration(self, start):
        times = []
        for _ in range(3):
            began = time.monotonic()
            self.check(WORLD.finish(start()), DONE)
            times.append(time.monotonic() - began)
        return sorted(times)[1]

    def wait_for_moment(self, i, process, usual, start_file):
        """One of three: any time; once it has written down what it wants; once the card did it."""
        watched = (None, start_file, WORLD.root / "card")[i % 3]
        if watched is None:
            time.sleep(usual * self.random.random())
            return
        changed = self.state_of(watched)
        while process.poll() is None and self.state_of(watched) == changed:
            pass

    @staticmethod
    def state_of(path):
        return path.stat().st_mtime_ns if path.exists() else 0

    def kill_terminals(self, make, sign, start_file):
        """Kills the tool at a moment of its run, then asks the same again: `rounds` times."""
        secret = ["--passphrase-file", f"{WORLD.root}/passphrase"] if sign > 0 else []
        usual = self.duration(lambda: WORLD.start(*make(), *secret, reader=CARD.reader))
        self.go_online()
        killed, after, balance = 0, 0, WORLD.balance()
        for i in range(self.rounds):
            words = make()
            process = WORLD.start(*words, *secret, reader=CARD.reader)
            self.wait_for_moment(i, process, usual, start_file)
            process.send_signal(signal.SIGKILL)
            killed += WORLD.finish(process).code == -signal.SIGKILL
            after += WORLD.balance() != balance
            self.until_done(words)
            balance += sign
            self.assertEqual(WORLD.balance(), balance, f"seed {SEED}, round {i}")
        print(f"{killed} of {self.rounds} killed, {after} after the card", file=sys.stderr)
        self.assertGreater(killed, self.rounds // 2)
        self.assertGreaterEqual(after, self.rounds // 3)
        self.check_books()

    def test_a_killed_payment_asked_again_is_paid_once(self):
        self.go_online()
        self.kill_terminals(lambda: ["pay", "0.01", "--to", "S", "--id", self.identity()], -1,
                            WORLD.journal)

    def test_a_killed_top_up_asked_again_is_executed_once(self):
        self.kill_terminals(lambda: ["top-up", "0.01", "--id", self.identity()], 1,
                            WORLD.issuer / "store.db-wal")

    def test_a_card_that_is_gone_in_the_middle_moves_value_once(self):
        self.go_online()
        make = lambda: ["pay", "0.01", "--to", "S", "--id", self.identity()]
        usual = self.duration(lambda: WORLD.start(*make(), reader=CARD.reader))
        balance, codes = WORLD.balance(), []
        for i in range(6):
            words = make()
            process = WORLD.start(*words, reader=CARD.reader)
            time.sleep(usual * (i + self.random.random()) / 6)
            CARD.stop(signal.SIGKILL)
            answer = WORLD.finish(process)
            codes.append(answer.code)
            self.assertIn(answer.code, (DONE, REFUSED, IN_DOUBT), answer)
            if answer.code == IN_DOUBT:
                self.assertRegex(answer.err, "present the same card .* --id " + words[-1])
            CARD.start()
            if answer.code == REFUSED:  # nothing has changed
                self.assertEqual(WORLD.balance(), balance, answer)
            self.until_done(words)
            balance -= 1
            self.assertEqual(WORLD.balance(), balance, f"seed {SEED}, round {i}")
        self.assertNotEqual(set(codes), {DONE})
        self.check_books()


if __name__ == "__main__":
    print(f"seed {SEED}", file=sys.stderr)
    unittest.main()
