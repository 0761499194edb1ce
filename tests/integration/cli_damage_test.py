# SPDX-License-Identifier: Apache-2.0
"""cli_damage_test.py BUILD: files of the issuer and the card that are missing, cut, changed or old.
The tool says which and what to do, and never goes on with a wrong one."""
import random
import shutil
import sqlite3
import unittest

from tallycard_world import DONE, REFUSED, CopyCase, cut, flip

SLOTS = (8192, 16384)  # of the card image: virtual-card/nvm/slot_nvm.hpp


class Case(CopyCase):
    def restore(self, path):
        shutil.copy(self.original.root / path.relative_to(self.world.root), path)


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
                "SELECT name FROM sqlite_master WHERE name IN ('cards', 'accounts')")]
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
                shutil.copy(self.original.root / "card", image)
        self.assertEqual(sorted(found), [4000] * 3 + [4600] * 3)  # 46.00 before the payment

    def test_a_card_that_lost_an_operation_is_behind(self):
        self.check(self.world.run("settle"), DONE)
        image, newest = self.world.root / "card", None
        for slot in SLOTS:
            flip(image, slot + 8)
            newest = newest or (self.world.balance() == 4600 and image.read_bytes())
            shutil.copy(self.original.root / "card", image)
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
        self.assertEqual(self.world.books(), self.original.books())

    def test_what_is_no_image_is_refused(self):
        for size in (0, 10, 20):
            cut(self.world.root / "card", size)
            self.check(self.world.offline("balance"), REFUSED, "damaged|memory failed")
            shutil.copy(self.original.root / "card", self.world.root / "card")
        flip(self.world.root / "card", 3)
        self.check(self.world.offline("balance"), REFUSED, "damaged")
        flip(self.world.root / "card", 3)
        self.check_unchanged()


if __name__ == "__main__":
    unittest.main()
