# SPDX-License-Identifier: Apache-2.0
"""cli_statement_test.py BUILD: statements and the end of the day by the tallycard tool, as people,
spreadsheets and hledger read them."""
import csv
import datetime
import io
import subprocess
import unittest
from decimal import Decimal

from tallycard_world import DONE, REFUSED, CopyCase


class StatementCase(CopyCase):
    def setUp(self):
        super().setUp()
        world = self.world
        self.check(world.run("settle"), DONE)
        self.check(world.account("open", "SHOP-1"), DONE)
        self.card = self.check(world.offline("info", "--json"), DONE).json()["card"]
        self.check(world.offline("pay", "2.50", "--to", "SHOP-1", "--reference", "order; 7, \"x\""),
                   DONE)
        self.check(world.run("settle"), DONE)
        self.check(world.online("refund", "1", "--from", "SHOP-1", "--payment", f"{self.card}:2",
                                "--account-key", world.account_key()), DONE)
        self.check(world.account("pay-out", "SHOP-1", "3", "--to", "bank:a;b", "--reference",
                                 "Überweisung 4711"), DONE)
        self.today = datetime.datetime.now(datetime.timezone.utc).date()

    def entries(self, *words):
        return self.check(self.world.run("statement", *words, "--json"), DONE).json()["entries"]


class Statements(StatementCase):
    def test_an_account_and_its_balance_line_by_line(self):
        found = self.entries("SHOP-1")
        self.assertEqual([(e["kind"], e["amount"]["minor_units"]) for e in found],
                         [("payment", 400), ("payment", 600), ("open", 0), ("payment", 250),
                          ("transfer in", -100), ("pay out", -300)])
        balances = [e["balance"]["minor_units"] for e in found if "balance" in e]
        self.assertEqual(balances, [400, 1000, 1250, 1150, 850])
        self.assertEqual(balances[-1], self.world.books()["account/SHOP-1"])
        self.assertEqual(found[3]["reference"], "order; 7, \"x\"")
        self.assertEqual(found[4]["refunds"], f"{self.card}:2")
        self.assertEqual(found[3]["terminal"], "terminal-1")

    def test_a_card_a_till_and_the_world_outside(self):
        card = self.entries(f"card/{self.card}")
        self.assertEqual([e["kind"] for e in card],
                         ["top-up", "payment", "payment", "payment", "transfer in"])
        self.assertEqual(card[-1]["balance"]["minor_units"], self.world.balance())
        self.assertEqual([e["kind"] for e in self.entries("cash/terminal-1")], ["top-up"])
        self.assertEqual([e["kind"] for e in self.entries("outside/bank:a;b")], ["pay out"])
        self.assertEqual(self.entries("NOBODY"), [])

    def test_filters_leave_what_fits(self):
        self.assertEqual(len(self.entries("--kind", "payment")), 3)
        self.assertEqual(len(self.entries("--kind", "payment", "--least", "3", "--most", "5")), 1)
        self.assertEqual(len(self.entries("--at", "terminal-1")), 5)
        self.assertEqual(self.entries("--at", "terminal-2"), [])
        self.assertEqual(len(self.entries("--limit", "2")), 2)
        tomorrow = str(self.today + datetime.timedelta(days=1))
        self.assertEqual(self.entries("--since", tomorrow), [])
        self.assertEqual(len(self.entries("--since", str(self.today), "--until", tomorrow)), 7)
        self.assertEqual(self.entries("SHOP-1", "--until", str(self.today)), [])

    def test_times_that_do_not_read_are_named(self):
        for word in ("yesterday", "2026-02-30", "2026-13-01", "2026-11-29T25:00:00", "1969-01-01",
                     "2026-11-29x"):
            self.check(self.world.run("statement", "--since", word), REFUSED, "--since")
        self.check(self.world.run("day", "2026-11"), REFUSED, "the day")
        self.check(self.world.run("statement", "--kind", "payments"), REFUSED, "--kind")
        self.check(self.world.run("statement", "card/xyz"), REFUSED, "card id")

    def test_a_spreadsheet_reads_it(self):
        text = self.check(self.world.run("statement", "SHOP-1", "--format", "csv"), DONE).out
        rows = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual(len(rows), 6)
        self.assertEqual(rows[3]["reference"], "order; 7, \"x\"")
        self.assertEqual(rows[5]["to"], "outside/bank:a;b")
        self.assertEqual(sum(Decimal(row["amount"]) for row in rows), Decimal("8.50"))

    def test_hledger_sums_it_up_to_the_same_books(self):
        text = self.check(self.world.run("statement", "--format", "hledger"), DONE).out
        journal = self.world.write_private("books.journal", text)
        said = subprocess.run(["hledger", "-f", journal, "balance", "--flat", "--no-total",
                               "--output-format", "csv"], capture_output=True, text=True,
                              check=True, env=self.world.environment | {"LANG": "C.UTF-8"}).stdout
        summed = {row["account"]: Decimal(row["balance"].removesuffix(" EUR"))
                  for row in csv.DictReader(io.StringIO(said))}
        books = {}
        for name, units in self.world.books().items():
            if units:
                kind, rest = name.split("/", 1)
                books[f"{kind}:{rest.replace(':', '_').replace(';', '_')}"] = Decimal(units) / 100
        self.assertEqual(summed, books)


class Day(StatementCase):
    def test_a_till_at_the_end_of_the_day(self):
        found = self.check(self.world.run("day", str(self.today), "--json"), DONE).json()
        self.assertEqual(found["account"], "cash/terminal-1")
        self.assertEqual(found["closing_balance"]["minor_units"], -5000)
        self.assertEqual(found["kinds"]["top-up"]["sum"]["minor_units"], -5000)
        self.assertEqual((found["kinds"]["payment"]["count"],
                          found["kinds"]["payment"]["sum"]["minor_units"]), (3, 1250))
        self.assertEqual(found["open"], 0)
        self.check(self.world.offline("pay", "1", "--to", "SHOP-1"), DONE)
        self.check(self.world.run("day", str(self.today)), DONE, "1 operation .* still open")

    def test_a_shop_at_the_end_of_the_day(self):
        found = self.check(self.world.run("day", str(self.today), "--account", "SHOP-1", "--json"),
                           DONE).json()
        self.assertEqual(found["opening_balance"]["minor_units"], 0)
        self.assertEqual(found["closing_balance"]["minor_units"], 850)
        sums = {kind: row["sum"]["minor_units"] for kind, row in found["kinds"].items()}
        self.assertEqual(sums, {"payment": 1250, "transfer in": -100, "pay out": -300, "open": 0})
        before = str(self.today - datetime.timedelta(days=1))
        found = self.check(self.world.run("day", before, "--account", "SHOP-1", "--json"),
                           DONE).json()
        self.assertEqual((found["closing_balance"]["minor_units"], found["kinds"]), (0, {}))


if __name__ == "__main__":
    unittest.main()
