# SPDX-License-Identifier: Apache-2.0
"""cli_store_test.py BUILD: the tool over PostgreSQL (private_postgres.sh): an issuer moves there and
back, and what can be wrong with a place is said by name."""
import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))

from tallycard_world import DONE, REFUSED, CopyCase, World  # noqa: E402

FOLDER = os.environ["TALLYCARD_TEST_POSTGRES_FOLDER"]
databases = 0


def new_database():
    """The place of a database that is empty."""
    global databases
    databases += 1
    name = f"store_{databases}"
    psql = Path(os.environ["TALLYCARD_TEST_POSTGRES_BIN"]) / "psql"
    subprocess.run([psql, "-q", "-d", os.environ["TALLYCARD_TEST_POSTGRES"], "-c",
                    f"CREATE DATABASE {name}"], check=True)
    return f"postgresql:///{name}?host={FOLDER}&user=tallycard"


def control(what):
    subprocess.run([*os.environ["TALLYCARD_TEST_POSTGRES_CONTROL"].split(), what], check=True)


class Stores(CopyCase):
    def root_of_ledger(self):
        answer = self.check(self.world.run("ledger", "verify", "--json", *self.secret()), DONE)
        return answer.json()["root"]

    def use(self, place):
        self.world.environment["TALLYCARD_STORE"] = place

    def test_an_issuer_moves_to_postgresql_and_back_and_goes_on(self):
        books, root, place = self.world.books(), self.root_of_ledger(), new_database()
        file = str(self.world.issuer / "store.db")
        answer = self.check(self.world.run("store", "copy", file, place, "--json"), DONE)
        self.assertEqual(answer.json()["root"], root)
        rows = answer.json()["rows"]
        self.use(place)
        self.check_unchanged(books=books)
        self.assertEqual(self.root_of_ledger(), root)
        os.rename(file, file + ".put-away")

        self.check(self.world.run("settle"), DONE)
        self.check(self.world.online("top-up", "1"), DONE)
        books, root = self.world.books(), self.root_of_ledger()
        answer = self.check(self.world.run("store", "copy", place, file, "--json"), DONE)
        self.assertNotEqual(answer.json()["rows"], rows)
        self.use(file)
        self.check_unchanged(balance=4100, books=books)
        self.assertEqual(self.root_of_ledger(), root)

    def test_an_issuer_begins_in_postgresql(self):
        world = World()
        self.addCleanup(world.remove)
        world.environment["TALLYCARD_STORE"] = new_database()
        for answer in (world.make_issuer(), world.issue(), world.online("top-up", "5")):
            self.check(answer, DONE)
        self.assertFalse((world.issuer / "store.db").exists())
        self.assertEqual(world.books()["cash/terminal-1"], -500)

        self.use(world.environment["TALLYCARD_STORE"])  # another issuer's
        self.check(self.world.run("accounts"), REFUSED, "issuer of the store: the same id stands")
        file = str(self.world.issuer / "store.db")
        self.check(self.world.run("store", "copy", file, world.environment["TALLYCARD_STORE"]),
                   REFUSED, "which is not empty")

    def test_a_place_with_a_password_is_refused_and_the_password_not_shown(self):
        for place in ("postgresql://me:hunter2@localhost/x", "postgres:password=hunter2 host=x"):
            answer = self.check(self.world.run("accounts", "--store", place), REFUSED,
                                "password file")
            self.assertNotIn("hunter2", answer.out + answer.err)

    def test_a_server_that_is_not_there_is_named_with_the_reason(self):
        place = new_database()
        self.check(self.world.run("accounts", "--store", place), REFUSED, "tables of the store")
        control("stop")
        try:
            answer = self.world.run("accounts", "--store", place)
        finally:
            control("start")
        self.check(answer, REFUSED, f"{FOLDER}.*cannot be reached")
        self.check(self.world.run("accounts", "--store", "postgresql:///none?user=tallycard&host="
                                  + FOLDER), REFUSED, 'database "none" does not exist')


if __name__ == "__main__":
    unittest.main()
