# SPDX-License-Identifier: Apache-2.0
"""An issuer, cards and terminals for tests of the tallycard tool, in a folder of their own."""
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

build_folder = sys.argv.pop(1)  # of every program that imports this
DONE, REFUSED, IN_DOUBT, USAGE = 0, 1, 2, 64
PIN = "739164082517"
PASSPHRASE = "a passphrase nobody types"


class Answer:
    """What the tool said, and how it ended."""

    def __init__(self, command, code, out, err):
        self.command, self.code, self.out, self.err = command, code, out, err
        for secret in (PIN, PASSPHRASE):
            assert secret not in out + err, f"{self}: shows a secret"

    def json(self):
        assert self.out.count("\n") == 1, f"{self}: not one line"
        found = json.loads(self.out)
        assert isinstance(found, dict), f"{self}: not one object"
        return found

    def __str__(self):
        return f"{' '.join(self.command)}\nended with {self.code}\n{self.out}{self.err}"


class World:
    """Commands run with this folder's issuer, journal and passphrase."""

    def __init__(self, copy_of=None):
        build = pathlib.Path(build_folder).resolve()
        self.tool_path = str(build / "examples/tallycard")
        self.vicc_path = str(build / "virtual-card/tallycard-vicc")
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="tallycard-"))
        if copy_of is not None:
            shutil.copytree(copy_of.root, self.root, dirs_exist_ok=True)
        self.issuer, self.journal = self.root / "issuer", self.root / "journal"
        self.reader = f"loopback:{self.root / 'card'}"
        self.environment = os.environ | {"TALLYCARD_READER": ""}

    def remove(self):
        shutil.rmtree(self.root)

    def write_private(self, name, text):
        path = self.root / name
        path.write_text(text)
        path.chmod(0o600)
        return str(path)

    def start(self, *words, reader=None, pins=(), **popen):
        """Starts the tool; each of `pins` comes through a descriptor after the option's name."""
        command = [self.tool_path, *words]
        if reader is not None:
            command += ["-r", reader]
        ends = []
        for option, pin in pins:
            end, write = os.pipe()
            os.write(write, f"{pin}\n".encode())
            os.close(write)
            command += [option, str(end)]
            ends.append(end)
        places = {"TALLYCARD_ISSUER": str(self.issuer), "TALLYCARD_JOURNAL": str(self.journal)}
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, pass_fds=ends, env=self.environment | places, start_new_session=True,
            **popen)
        for end in ends:
            os.close(end)
        return process

    @staticmethod
    def finish(process, timeout=60):
        out, err = process.communicate(timeout=timeout)
        return Answer([str(word) for word in process.args], process.returncode, out, err)

    def run(self, *words, **how):
        return self.finish(self.start(*words, **how))

    def offline(self, *words, **how):
        """With the card in the reader and no passphrase."""
        return self.run(*words, **({"reader": self.reader} | how))

    def online(self, *words, **how):
        return self.offline(*words, "--passphrase-file", str(self.root / "passphrase"), **how)

    def make_issuer(self, name="demo.example"):
        self.write_private("passphrase", PASSPHRASE + "\n")
        self.write_private("transport-key", secrets.token_hex(32))
        return self.run("issuer", "init", "--name", name, "--passphrase-file",
                        str(self.root / "passphrase"))

    def issue(self, *words, **how):
        return self.online("issue", "--transport-key-file", str(self.root / "transport-key"),
                           *words, **({"pins": [("--pin-fd", PIN)]} | how))

    def account_key(self, name="shop"):
        """The file of an account's key, sealed with the issuer's passphrase."""
        path = self.root / f"{name}.key"
        if not path.exists():
            answer = self.run("account", "new-key", str(path), "--passphrase-file",
                              str(self.root / "passphrase"))
            assert answer.code == DONE, answer
        return str(path)

    def account(self, *words, key="shop", **how):
        """An order of the account's owner."""
        return self.run("account", *words, "--account-key", self.account_key(key),
                        "--passphrase-file", str(self.root / "passphrase"), **how)

    def make_blank(self, image):
        """A blank card; its transport key is in `image`-key."""
        key = self.write_private(f"{image}-key", secrets.token_hex(32))
        process = subprocess.Popen(  # at a port where nobody listens
            [self.vicc_path, "--image", str(self.root / image), "--transport-key-file", key,
             "--port", "1"], stderr=subprocess.DEVNULL)
        wait_until((self.root / image).exists, "the card's image is made")
        process.kill()
        process.wait()

    def balance(self, **how):
        """Of the card, in minor units."""
        answer = self.offline("balance", "--json", **how)
        assert answer.code == DONE, answer
        return answer.json()["balance"]["minor_units"]

    def books(self):
        """Minor units by account; they sum to zero."""
        answer = self.run("accounts", "--json")
        assert answer.code == DONE, answer
        found = answer.json()
        books = {row["account"]: row["balance"]["minor_units"] for row in found["accounts"]}
        assert found["sum"]["minor_units"] == sum(books.values()) == 0, answer
        return books


class ToolCase(unittest.TestCase):
    def check(self, answer, code, pattern=""):
        """How it ended, and what it says of that."""
        self.assertEqual(answer.code, code, answer)
        said = answer.err if code else answer.out
        self.assertRegex(said, re.compile(pattern, re.S), answer)
        return answer


def issued_world():
    """An issuer and a card with 40.00: topped up with 50, paid 4 (settled) and 6 (not settled)."""
    world = World()
    for answer in (world.make_issuer(), world.issue(), world.online("top-up", "50"),
                   world.offline("pay", "4", "--to", "SHOP-1"), world.run("settle"),
                   world.offline("pay", "6", "--to", "SHOP-1")):
        assert answer.code == DONE, answer
    return world


class CopyCase(ToolCase):
    """Each case has a copy of `original` of its own."""
    original = None

    def setUp(self):
        self.world = World(copy_of=self.original)
        self.addCleanup(self.world.remove)

    @classmethod
    def setUpClass(cls):
        if CopyCase.original is None:
            CopyCase.original = issued_world()
            unittest.addModuleCleanup(CopyCase.drop)

    @classmethod
    def drop(cls):
        CopyCase.original.remove()
        CopyCase.original = None

    def check_unchanged(self, balance=4000, books=None):
        self.assertEqual(self.world.balance(), balance)
        self.assertEqual(self.world.books(), books or self.original.books())

    def secret(self):
        return ["--passphrase-file", str(self.world.root / "passphrase")]


class CardProcess:
    """tallycard-vicc in a reader of the private pcscd."""

    def __init__(self, world, image, slot, protocol="t1", start=True):
        port = int(os.environ["TALLYCARD_VPCD_PORT"]) + slot
        self.command = [world.vicc_path, "--image", str(world.root / image), "--port", str(port),
                        "--transport-key-file", str(world.root / "transport-key"),
                        "--protocol", protocol]
        self.reader, self.world, self.process = f"Virtual PCD 00 0{slot}", world, None
        if start:
            self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_until(lambda: self.is_inserted(), "the card shows in its reader")

    def is_inserted(self):
        rows = self.world.run("readers", "--json").json()["readers"]
        return any(row["reader"] == self.reader and row["card"] for row in rows)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait(timeout=20)
        wait_until(lambda: not self.is_inserted(), "the card is gone from its reader")


def wait_until(holds, what, seconds=20):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.01)


def flip(path, at, bit=0):
    content = bytearray(path.read_bytes())
    content[at] ^= 1 << bit
    path.write_bytes(content)


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])
