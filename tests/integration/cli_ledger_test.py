# SPDX-License-Identifier: Apache-2.0
"""cli_ledger_test.py BUILD: exported ledgers and journals that were cut, changed or
rearranged. The tool finds it, and settles nothing that was not signed."""
import hashlib
import unittest

from tallycard_world import DONE, IN_DOUBT, REFUSED, CopyCase, World, cut


class Exports(CopyCase):
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
        self.check(self.verify(self.whole), DONE, "the ledger is right: 2 entries, 1 card;")

    def test_the_number_of_threads_changes_nothing(self):
        public = ("-i", str(self.world.issuer / "issuer.pub"))
        for threads in ("1", "2", "256"):
            answer = self.world.run("ledger", "verify", str(self.ledger), "--threads", threads,
                                    *public)
            self.check(answer, DONE, "the ledger is right: 2 entries, 1 card;")

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


class Books(CopyCase):
    def test_a_missing_checkpoint_beside_the_books_is_reported(self):
        checkpoint = self.world.issuer / "checkpoint"
        self.check(self.world.run("ledger", "verify", *self.secret()), DONE, "there was no .*")
        answer = self.check(self.world.run("ledger", "verify", *self.secret()), DONE, "right")
        self.assertNotIn("there was no", answer.out)
        checkpoint.unlink()
        answer = self.world.run("ledger", "verify", "--json", *self.secret())
        self.assertTrue(answer.json()["checkpoint_missing"])
        self.assertTrue(answer.json()["valid"])
        checkpoint.unlink()
        self.check(self.world.run("ledger", "verify", *self.secret()), DONE,
                   f"right.*there was no {checkpoint}, so that an old copy")

    def test_books_without_a_record_need_no_checkpoint(self):
        other = World()
        self.addCleanup(other.remove)
        self.check(other.make_issuer(), DONE)
        secret = ["--passphrase-file", str(other.root / "passphrase")]
        answer = self.check(other.run("ledger", "verify", *secret), DONE, "right: 0 entries")
        self.assertNotIn("there was no", answer.out)


class Journals(CopyCase):
    def test_a_cut_last_line_is_asked_again(self):
        journal, words = self.world.journal, ["pay", "1", "--to", "S", "--id", "ab" * 16]
        self.check(self.world.offline(*words), DONE)
        self.assertIn(" receipt " + "ab" * 16, journal.read_text())
        cut(journal, journal.stat().st_size - 40)
        self.check(self.world.run("settle"), IN_DOUBT, "present the card .* run 'tallycard resolve'")
        self.check(self.world.offline(*words), DONE)
        self.assertEqual(self.world.balance(), 3900)
        self.check(self.world.run("settle"), DONE, "SHOP-1: settled|nothing|S: settled")
        self.assertEqual(self.world.books()["account/S"], 100)

    def test_a_cut_last_line_is_found_again_without_an_id(self):
        self.check(self.world.offline("pay", "1", "--to", "S"), DONE)
        cut(self.world.journal, self.world.journal.stat().st_size - 40)
        self.check(self.world.online("resolve"), DONE, "payment -1.00 EUR to S: settled")
        self.assertEqual(self.world.balance(), 3900)
        self.assertEqual(self.world.books()["account/S"], 100)
        self.check(self.world.run("settle"), DONE, "nothing to settle")

    @staticmethod
    def with_checksums(lines):
        """What somebody writes who knows the format."""
        text, check = lines[0] + "\n", ""
        for line in lines[1:]:
            check = hashlib.sha256((check + line).encode()).hexdigest()[:8]
            text += f"{check} {line}\n"
        return text

    def test_a_changed_line_is_refused(self):
        text = self.world.journal.read_text()
        lines = [text.splitlines()[0]] + [line[9:] for line in text.splitlines()[1:]]
        self.assertEqual(self.with_checksums(lines), text)
        for old, new in (("intent", "intend"), ("receipt ", "receipt  "), (" -400 ", " 400 "),
                         (" -400 ", " -4x0 "), ("acknowledged", "acknowledge"),
                         ("SHOP-1", "SHOP 1")):
            number = next(i for i, line in enumerate(lines) if old in line)
            bad = [*lines[:number], lines[number].replace(old, new, 1), *lines[number + 1:]]
            for changed in (text.replace(old, new, 1), self.with_checksums(bad)):
                self.world.journal.write_text(changed)
                for answer in (self.world.run("settle"),
                               self.world.offline("pay", "1", "--to", "S")):
                    self.check(answer, REFUSED,
                               f"journal: .*damaged; restore a copy .line {number + 1},")
        self.world.journal.write_text(text)
        self.check_unchanged()

    def test_a_changed_receipt_never_settles(self):
        text = self.world.journal.read_text()
        lines = [text.splitlines()[0]] + [line[9:] for line in text.splitlines()[1:]]
        paid = max(i for i, line in enumerate(lines) if line.startswith("receipt "))
        for at in range(42, len(lines[paid]) - 2, 23):
            changed = lines[paid][:at] + ("1" if lines[paid][at] == "0" else "0")
            changed += lines[paid][at + 1:]
            bad = self.with_checksums([*lines[:paid], changed, *lines[paid + 1:]])
            self.world.journal.write_text(bad)
            self.check(self.world.run("settle"), REFUSED)
            self.assertEqual(self.world.books(), self.original.books())
        self.world.journal.write_text(text)
        self.check(self.world.run("settle"), DONE, "settled")

    def test_a_journal_of_another_version_is_refused(self):
        self.world.journal.write_text("tallycard-journal 2\nwhatever it says\n")
        self.check(self.world.run("settle"), REFUSED, "does not follow its format.*line 1")

    def test_a_journal_that_cannot_be_written_stops_before_the_card(self):
        self.world.journal = self.world.root / "no" / "journal"
        self.check(self.world.offline("pay", "1", "--to", "S"), REFUSED, "journal")
        self.world.journal = self.world.root
        self.check(self.world.offline("pay", "1", "--to", "S"), REFUSED, "journal")
        self.check_unchanged()


if __name__ == "__main__":
    unittest.main()
