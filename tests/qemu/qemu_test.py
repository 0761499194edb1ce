# SPDX-License-Identifier: Apache-2.0
"""qemu_test.py BUILD KERNEL: top-up and payment through a USB reader. Boots a virtual machine with
the kernel in KERNEL (see kernel.sh) and an emulated USB reader, whose card is a tallycard-vicc
here; inside, pcscd, libccid and the tallycard tool play what purse.sh says. Needs no KVM."""
import pathlib
import secrets
import signal
import socket
import subprocess
import sys
import tempfile

from machine import DONE, Machine, seconds, write_initramfs

REFUSED = 1
CARD = "3b0954414c4c5943415244"  # the ATR

# What the guest says, in this order: steps with status and text, and wishes to the host.
STORY = [
    ("usb", DONE, "QEMU USB CCID"),
    ("readers", DONE, f"^0 .*433-Swap.*{CARD}"),
    ("issuer", DONE, "demo.example"),
    ("issue", DONE, "issued, EUR"),
    ("top-up", DONE, "balance 50.00 EUR"),
    ("pay", DONE, "balance 37.70 EUR"),
    ("settle", DONE, "settled, ledger entry 1"),
    ("cash-out", DONE, "balance 27.70 EUR"),
    ("too-much", REFUSED, "not enough value on the card"),
    "take the card out",
    ("without-card", DONE, "433-Swap"),
    "put the card in",
    ("again", DONE, CARD),
    ("balance", DONE, "^27.70 EUR$"),
    "kill the card's program",
    ("no-answer", REFUSED, "the deadline passed"),
    "start it again",
    ("pay-again", DONE, "balance 26.70 EUR"),
    ("settle-again", DONE, "settled"),
    ("verify", DONE, "the ledger is right: 4 entries, 1 card"),
    ("accounts", DONE, "^sum  *0.00 EUR"),
]


class Card:
    """tallycard-vicc, for the machine that listens at this port."""

    def __init__(self, build, folder, port):
        self.command = [str(build / "virtual-card/tallycard-vicc"), "--image", str(folder / "card"),
                        "--transport-key-file", str(folder / "transport-key"),
                        "--vscard", f"127.0.0.1:{port}"]
        self.process = None

    def insert(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()  # ends at the latest when the machine does
        assert "has the card" in line, f"the card is not in the machine: {line!r}"

    def remove(self, number=signal.SIGTERM):
        if self.process is None:
            return
        self.process.send_signal(number)
        status = self.process.wait(timeout=20)
        self.process.stdout.close()
        self.process = None
        assert status == (0 if number == signal.SIGTERM else -number), status


def play(machine, card):
    do = {"take the card out": card.remove, "put the card in": card.insert,
          "kill the card's program": lambda: card.remove(signal.SIGKILL),
          "start it again": card.insert}
    for expected in STORY:
        if isinstance(expected, tuple):
            machine.check_step(*expected)
        else:
            machine.check_wish(expected)
            do[expected]()
            machine.grant()
    machine.check_end()


def main(build, kernel):
    with tempfile.TemporaryDirectory(prefix="tallycard-") as name, socket.socket() as listener:
        folder = pathlib.Path(name)
        key = folder / "transport-key"
        key.touch(0o600)
        key.write_text(secrets.token_hex(32))
        initramfs = folder / "initramfs"
        write_initramfs(initramfs, kernel, "purse.sh", build / "examples/tallycard", key)
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        card = Card(build, folder, listener.getsockname()[1])
        with Machine(kernel, initramfs, listener) as machine:
            try:
                card.insert()
                play(machine, card)
            finally:
                machine.process.kill()
                card.remove(signal.SIGKILL)
    print(f"{len(STORY)} steps in {seconds()}")


main(*(pathlib.Path(argument).resolve() for argument in sys.argv[1:]))
