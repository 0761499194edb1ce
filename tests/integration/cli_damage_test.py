# SPDX-License-Identifier: Apache-2.0
"""cli_damage_test.py BUILD: files of the issuer, the card and the terminal that are missing, cut,
changed or old. The tool says which and what to do, and never goes on with a wrong one."""
import random
import re
import shutil
import sqlite3
import sys
import unittest

from tallycard_world import DONE, IN_DOUBT, REFUSED, World

BUILD = sys.argv.pop(1)
SLOTS = (4096, 8192)  # of the card image: virtual-card/nvm/slot_nvm.hpp
ISSUED = World(BUILD)  # 40.00 on the card; one payment settled, one not


def setUpModule():
    for answer in (ISSUED.make_issuer(), ISSUED.issue(), ISSUED.online("top-up", "50"),
                   ISSUED.offline("pay", "4", "--to", "SHOP-1"), ISSUED.run("settle"),
                   ISSUED.offline("pay", "6", "--to", "SHOP-1")):
        assert answer.code == DONE, answer


def tearDownModule():
    ISSUED.remove()


def flip(path, at, bit=0):
    content = bytearray(path.read_bytes())
    content[at] ^= 1 << bit
    path.write_bytes(content)


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


class Case(unittest.TestCase):
    def setUp(self):
        self.world = World(BUILD, copy_of=ISSUED)
        self.addCleanup(self.world.remove)

    def check(self, answer, code, pattern=""):
        self.assertEqual(answer.code, code, answer)
        said = answer.err if code else answer.out
        self.assertRegex(said, re.compile(pattern, re.S), answer)
        return answer

    def check_unchanged(self, balance=4000):
        self.assertEqual(self.world.balance(), balance)
        self.assertEqual(self.world.books(), ISSUED.books())

    def secret(self):
        return ["--passphrase-file", str(self.world.root / "passphrase")]

    def restore(self, path):
        shutil.copy(ISSUED.root / path.relative_to(self.world.root), path)


class IssuerFiles(Case):
    def damages(self, path, flips):
        """Damages the file in one way after the other; whole again at the end."""
        size = path.stat().st_size
        for at in flips:
            flip(path, at % size, at % 8)
            yield "flipped"
            self.restore(path)
        for length in (0, 1, size // 2, size - 1):
            cut(path, length)
            yield "cut"
            self.restore(path)
        path.write_bytes(path.read_bytes() + b"x")
        yield "longer"
        self.restore(path)
        path.unlink()
        yield "missing"
        self.restore(path)

    def test_a_key_file_that_is_not_whole_signs_nothing(self):
        fresh = f"loopback:{self.world.root / 'fresh'}"
        uses = {"operation.key": lambda: self.world.online("top-up", "1"),
                "card-root.key": lambda: self.world.issue(reader=fresh),
                "checkpoint.key": lambda: self.world.run("ledger", "checkpoint", *self.secret())}
        self.world.write_private("transport-key", "5a" * 32)
        for name, use in uses.items():
            for what in self.damages(self.world.issuer / name, (0, 9, 10, 19, 35, 59, 106)):
                pattern = (f"{name}.*no such file" if what == "missing" else
                           "damaged; restore a copy|wrong passphrase, or a damaged key file")
                self.check(use(), REFUSED, pattern)
        self.assertFalse((self.world.root / "fresh").exists())
        self.check_unchanged()

    def test_a_key_file_in_another_ones_place_signs_nothing(self):
        key = self.world.issuer / "operation.key"
        shutil.copy(self.world.issuer / "card-root.key", key)
        self.check(self.world.online("top-up", "1"), REFUSED, "damaged")
        self.check_unchanged()

    def test_an_issuer_description_that_is_not_whole_is_refused(self):
        path = self.world.issuer / "issuer.pub"
        lines = path.read_text().splitlines()
        self.assertEqual(len(lines), 6)
        starts = [path.read_text().index(line) for line in lines]
        for what in self.damages(path, [start + 2 for start in starts]):
            pattern = "issuer.pub.*no such file" if what == "missing" else "issuer description"
            self.check(self.world.offline("balance"), REFUSED, pattern)
            self.check(self.world.run("accounts"), REFUSED, pattern)
        path.write_text(path.read_text().replace("demo.example", "evil.example"))
        self.check(self.world.run("accounts"), REFUSED, "issuer of the store.*right file")
        self.restore(path)
        self.check_unchanged()

    def test_a_checkpoint_that_is_not_whole_is_refused(self):
        self.check(self.world.run("ledger", "checkpoint", *self.secret()), DONE)
        path = self.world.issuer / "checkpoint"
        whole = path.read_bytes()
        for length in (0, 1, len(whole) // 2, len(whole) - 1):
            cut(path, length)
            self.check(self.world.run("accounts"), REFUSED, "checkpoint: .*damaged; restore")
            path.write_bytes(whole)
        for at in range(0, len(whole), 17):
            flip(path, at)
            self.check(self.world.online("top-up", "1"), REFUSED, "checkpoint: .*damaged; restore")
            path.write_bytes(whole)
        self.check_unchanged()


class Stores(Case):
    def test_a_store_that_is_missing_or_cut_is_refused(self):
        path = self.world.issuer / "store.db"
        for size in (0, 60, 4096, path.stat().st_size // 2):
            cut(path, size)
            for answer in (self.world.run("accounts"), self.world.online("top-up", "1")):
                self.check(answer, REFUSED, "store: .*damaged; restore a copy")
            self.restore(path)
        path.unlink()
        self.check(self.world.online("top-up", "1"), REFUSED, "store: there is no such file")
        self.assertFalse(path.exists())
        self.restore(path)
        self.check_unchanged()

    def test_a_store_with_a_wrong_bit_is_refused_or_right(self):
        path, random_bits, refused = self.world.issuer / "store.db", random.Random(4), 0
        for _ in range(12):
            flip(path, random_bits.randrange(path.stat().st_size), random_bits.randrange(8))
            answer = self.world.run("ledger", "verify", *self.secret())
            self.assertIn(answer.code, (DONE, REFUSED), answer)
            refused += answer.code == REFUSED
            self.assertIn(self.world.run("accounts").code, (DONE, REFUSED))
            self.restore(path)
            (self.world.issuer / "checkpoint").unlink(missing_ok=True)
        self.assertLess(refused, 12)  # most of the file is empty
        self.check_unchanged()

    def test_books_that_do_not_sum_to_zero_are_refused(self):
        path = self.world.issuer / "store.db"
        with sqlite3.connect(path) as store:
            tables = [row[0] for row in store.execute(
                "SELECT name FROM sqlite_master WHERE sql LIKE '%balance%' AND type = 'table'")]
            self.assertTrue(tables)
            for table in tables:
                store.execute(f"UPDATE {table} SET balance = balance + 1")
        store.close()
        self.check(self.world.run("accounts"), REFUSED, "(books|store): .*damaged; restore")
        self.check(self.world.online("top-up", "1"), REFUSED, "damaged; restore")
        self.restore(path)
        self.check_unchanged()

    def test_an_old_store_is_found_behind_its_checkpoint(self):
        self.check(self.world.online("top-up", "1"), DONE)
        self.check(self.world.run("ledger", "checkpoint", *self.secret()), DONE)
        newest = (self.world.issuer / "store.db").read_bytes()
        self.restore(self.world.issuer / "store.db")
        for answer in (self.world.run("accounts"), self.world.online("top-up", "1")):
            self.check(answer, REFUSED, "behind a checkpoint.*Restore the newest one")
        (self.world.issuer / "store.db").write_bytes(newest)
        self.assertEqual(self.world.balance(), 4100)
        self.world.books()

    def test_an_old_store_without_a_checkpoint_learns_from_the_card(self):
        self.check(self.world.online("top-up", "1"), DONE)
        self.restore(self.world.issuer / "store.db")
        self.assertIn(self.world.online("resolve").code, (DONE, REFUSED))
        answer = self.world.online("top-up", "2")
        self.assertIn(answer.code, (DONE, REFUSED), answer)
        self.assertEqual(self.world.balance(), 4300 if answer.code == DONE else 4100)
        self.world.books()


class CardImages(Case):
    def test_one_damaged_slot_never_shows_a_wrong_balance(self):
        image = self.world.root / "card"
        self.assertEqual(self.world.balance(), 4000)
        found = []
        for slot in SLOTS:
            for at in (slot, slot + 8, slot + 100):
                flip(image, at)
                found.append(self.world.balance())
                shutil.copy(ISSUED.root / "card", image)
        self.assertEqual(sorted(found), [4000] * 3 + [4600] * 3)  # 46.00 before the payment

    def test_a_card_that_lost_an_operation_is_behind(self):
        self.check(self.world.run("settle"), DONE)
        image, newest = self.world.root / "card", None
        for slot in SLOTS:
            flip(image, slot + 8)
            newest = newest or (self.world.balance() == 4600 and image.read_bytes())
            shutil.copy(ISSUED.root / "card", image)
        image.write_bytes(newest)
        before = self.world.books()
        answer = self.world.online("top-up", "1")
        self.check(answer, REFUSED, "behind the platform.*keep it|contradicts.*denied")
        self.assertEqual(self.world.books(), before)
        self.assertEqual(self.world.balance(), 4600)

    def test_a_card_with_both_slots_damaged_shows_no_balance(self):
        for slot in SLOTS:
            flip(self.world.root / "card", slot + 8)
        for words in (["balance"], ["info"], ["pay", "1", "--to", "S"]):
            answer = self.check(self.world.offline(*words), REFUSED, "card's memory failed")
            self.assertEqual(answer.out, "")
        self.check(self.world.online("top-up", "1"), REFUSED, "card's memory failed")
        self.assertEqual(self.world.books(), ISSUED.books())

    def test_what_is_no_image_is_refused(self):
        for size in (0, 10, 20):
            cut(self.world.root / "card", size)
            self.check(self.world.offline("balance"), REFUSED, "damaged|memory failed")
            shutil.copy(ISSUED.root / "card", self.world.root / "card")
        flip(self.world.root / "card", 3)
        self.check(self.world.offline("balance"), REFUSED, "damaged")
        flip(self.world.root / "card", 3)
        self.check_unchanged()


class Exports(Case):
    def setUp(self):
        super().setUp()
        self.ledger = self.world.root / "ledger"
        self.check(self.world.run("ledger", "export", str(self.ledger), *self.secret()), DONE)
        self.whole = self.ledger.read_bytes()

    def verify(self, content):
        self.ledger.write_bytes(content)
        public = str(self.world.issuer / "issuer.pub")
        return self.world.run("ledger", "verify", str(self.ledger), "-i", public)

    def refuse(self, content):
        answer = self.verify(content)
        self.check(answer, REFUSED, r"the ledger is wrong: line \d+.*: \w+|malformed|damaged")

    def test_a_whole_export_is_right_without_any_secret(self):
        self.check(self.verify(self.whole), DONE, "the ledger is right: 2 records of 1 cards")

    def test_any_wrong_bit_is_found(self):
        count = 40
        for i in range(count):
            content = bytearray(self.whole)
            content[i * (len(content) - 1) // (count - 1)] ^= 1 << i % 7
            self.refuse(bytes(content))

    def test_a_cut_anywhere_is_found(self):
        for i in range(12):
            self.refuse(self.whole[:i * (len(self.whole) - 1) // 11])

    def test_lines_swapped_repeated_or_left_out_are_found(self):
        lines = self.whole.splitlines(keepends=True)
        for i in range(len(lines) - 1):
            swapped = [*lines[:i], lines[i + 1], lines[i], *lines[i + 2:]]
            if swapped != lines:
                self.refuse(b"".join(swapped))
            self.refuse(b"".join(lines[:i] + lines[i + 1:]))
            self.refuse(b"".join(lines[:i + 1] + lines[i:]))

    def test_a_ledger_that_does_not_continue_a_known_checkpoint_is_refused(self):
        self.check(self.world.online("top-up", "1"), DONE)
        note = self.world.run("ledger", "checkpoint", "--json", *self.secret()).json()
        known = self.world.write_private("known", note["checkpoint"])
        answer = self.world.run("ledger", "verify", str(self.ledger), "--known", known)
        self.check(answer, REFUSED, "checkpoint")
        answer = self.world.run("ledger", "verify", str(self.ledger), "--known", known + "-not")
        self.check(answer, REFUSED, "--known: there is no such file")


class Journals(Case):
    def test_a_cut_last_line_is_asked_again(self):
        journal, words = self.world.journal, ["pay", "1", "--to", "S", "--id", "ab" * 16]
        self.check(self.world.offline(*words), DONE)
        self.assertIn("\npaid " + "ab" * 16, journal.read_text())
        cut(journal, journal.stat().st_size - 40)
        answer = self.world.run("settle")
        self.check(answer, IN_DOUBT)
        self.assertIn("present the card and run 'tallycard pay' with --id", answer.err)
        self.check(self.world.offline(*words), DONE)
        self.assertEqual(self.world.balance(), 3900)
        self.check(self.world.run("settle"), DONE, "SHOP-1: settled|nothing|S: settled")
        self.assertEqual(self.world.books()["account/S"], 100)

    def test_a_changed_line_is_refused(self):
        text = self.world.journal.read_text()
        for old, new in (("intent", "intend"), ("paid ", "paid  "), (" 400 ", " -400 "),
                         (" 400 ", " 4x0 "), ("closed", "close"), ("SHOP-1", "SHOP 1")):
            self.assertIn(old, text)
            self.world.journal.write_text(text.replace(old, new, 1))
            for answer in (self.world.run("settle"), self.world.offline("pay", "1", "--to", "S")):
                self.check(answer, REFUSED, "payment journal: .*damaged; restore a copy")
        self.world.journal.write_text(text)
        self.check_unchanged()

    def test_a_changed_receipt_never_settles(self):
        lines = self.world.journal.read_text().splitlines(keepends=True)
        paid = max(i for i, line in enumerate(lines) if line.startswith("paid "))
        for at in range(40, len(lines[paid]) - 2, 23):
            changed = lines[paid][:at] + ("1" if lines[paid][at] == "0" else "0")
            changed += lines[paid][at + 1:]
            self.world.journal.write_text("".join([*lines[:paid], changed, *lines[paid + 1:]]))
            self.check(self.world.run("settle"), REFUSED)
            self.assertEqual(self.world.books(), ISSUED.books())
        self.world.journal.write_text("".join(lines))
        self.check(self.world.run("settle"), DONE, "settled")

    def test_a_journal_that_cannot_be_written_stops_before_the_card(self):
        self.world.journal = self.world.root / "no" / "journal"
        self.check(self.world.offline("pay", "1", "--to", "S"), REFUSED, "payment journal")
        self.world.journal = ISSUED.root / "link"
        self.world.journal = self.world.root
        self.check(self.world.offline("pay", "1", "--to", "S"), REFUSED, "payment journal")
        self.check_unchanged()


if __name__ == "__main__":
    unittest.main()
