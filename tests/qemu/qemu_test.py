# SPDX-License-Identifier: Apache-2.0
"""qemu_test.py BUILD KERNEL: top-up and payment through a USB reader. Boots a virtual machine with
the kernel in KERNEL (see kernel.sh) and an emulated USB reader, whose card is a tallycard-vicc
here; inside, pcscd, libccid and the tallycard tool play what guest.sh says. Needs no KVM."""
import os
import pathlib
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

DEADLINE = 240  # seconds; the story has taken 90 on a machine with much else to do
HERE = pathlib.Path(__file__).resolve().parent
DONE, REFUSED = 0, 1
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
    ("verify", DONE, "the ledger is right: 4 records of 1 cards?"),
    ("accounts", DONE, "^sum  *0.00 EUR"),
]


class Card:
    """tallycard-vicc, for the machine that listens at this port."""

    def __init__(self, build, folder, port):
        self.command = [str(build / "virtual-card/tallycard-vicc"), "--image", str(folder / "card"),
                        "--transport-key-file", str(folder / "key"),
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


class Machine:
    """A virtual machine; its console is what the process says and hears. The reader is at a UHCI
    controller: docs/virtual-machines.md says why."""

    def __init__(self, kernel, initramfs, listener):
        descriptor = listener.fileno()
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "512",
             "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
             "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
             "-kernel", str(kernel / "vmlinuz"), "-initrd", str(initramfs),
             "-append", "console=ttyS0 quiet panic=-1 random.trust_cpu=on mitigations=off",
             "-chardev", f"socket,id=card,fd={descriptor},server=on,wait=off",
             "-device", "piix3-usb-uhci", "-device", "usb-ccid",
             "-device", "ccid-card-passthru,chardev=card"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", pass_fds=[descriptor])
        self.console = []
        self.alarm = threading.Timer(DEADLINE, self.process.kill)
        self.alarm.start()

    def lines(self):
        for line in self.process.stdout:
            self.console.append(f"{time.monotonic() - START:6.1f} {line.rstrip()}")
            yield line.rstrip()

    def answer(self):
        self.process.stdin.write("done\n")
        self.process.stdin.flush()

    def stop(self):
        self.alarm.cancel()
        self.process.kill()
        self.process.communicate()


def check_step(said, name, wanted, pattern):
    """The lines of one step: its name, what it said, its status."""
    begin = f"> {name}"
    while (line := next(said, None)) != begin:
        assert line is not None, f"the console ended before {begin!r}"
        assert line[:2] not in ("> ", "< ", "! "), f"{line!r} instead of {begin!r}"
    text = []
    while not (line := next(said, "< ")).startswith("< "):
        if line.startswith("| "):
            text.append(line[2:])
    assert line == f"< {name} {wanted}", f"{name} ended as {line!r}, not with {wanted}"
    assert re.search(pattern, "\n".join(text), re.M), f"{name} does not say {pattern!r}: {text}"


def check_wish(said, wish):
    for line in said:
        if line[:2] in ("> ", "< ", "! "):
            assert line == f"! {wish}", f"{line!r} instead of the wish {wish!r}"
            return
    raise AssertionError(f"the console ended before the wish {wish!r}")


def play(machine, card):
    do = {"take the card out": card.remove, "put the card in": card.insert,
          "kill the card's program": lambda: card.remove(signal.SIGKILL),
          "start it again": card.insert}
    said = machine.lines()
    for expected in STORY:
        if isinstance(expected, tuple):
            check_step(said, *expected)
        else:
            check_wish(said, expected)
            do[expected]()
            machine.answer()
    for _ in said:
        pass
    assert machine.process.wait() == 0, "the machine did not end by itself"


def main(build, kernel):
    with tempfile.TemporaryDirectory(prefix="tallycard-") as name, socket.socket() as listener:
        folder = pathlib.Path(name)
        (folder / "key").touch(0o600)
        (folder / "key").write_text(secrets.token_hex(32))
        initramfs = folder / "initramfs"
        subprocess.run([HERE / "initramfs.sh", initramfs, kernel, build / "examples/tallycard",
                        folder / "key"], check=True)
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        card = Card(build, folder, listener.getsockname()[1])
        machine = Machine(kernel, initramfs, listener)
        try:
            card.insert()
            play(machine, card)
        except BaseException:
            print("The console, with seconds:", *machine.console, sep="\n")
            raise
        finally:
            machine.stop()
            card.remove(signal.SIGKILL)
    print(*machine.console, sep="\n")
    print(f"{len(STORY)} steps in {time.monotonic() - START:.0f} s")


START = time.monotonic()
main(*(pathlib.Path(argument).resolve() for argument in sys.argv[1:]))
