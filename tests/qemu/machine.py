# SPDX-License-Identifier: Apache-2.0
"""A virtual machine with an emulated USB reader, and what it says on its console."""
import pathlib
import re
import subprocess
import threading
import time

DEADLINE = 500  # seconds; a story has taken 90 on a machine with much else to do
HERE = pathlib.Path(__file__).resolve().parent
DONE = 0
START = time.monotonic()


class Machine:
    """Its console is what the process says and hears. The reader is at a UHCI controller:
    docs/virtual-machines.md says why. `listener` is a listening socket, where its card connects.
    `settings` become variables of the story that initramfs.sh put in. The guest reaches this
    machine's loopback as 10.0.2.2."""

    def __init__(self, kernel, initramfs, listener, settings=()):
        descriptor = listener.fileno()
        line = " ".join(["console=ttyS0 quiet panic=-1 random.trust_cpu=on mitigations=off",
                         *settings])
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "512",
             "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
             "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
             "-kernel", str(kernel / "vmlinuz"), "-initrd", str(initramfs), "-append", line,
             "-chardev", f"socket,id=card,fd={descriptor},server=on,wait=off",
             "-device", "piix3-usb-uhci", "-device", "usb-ccid",
             "-device", "ccid-card-passthru,chardev=card",
             "-netdev", "user,id=net", "-device", "e1000,netdev=net,romfile="],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", pass_fds=[descriptor])
        self.console = []
        self.said = self.lines()
        self.alarm = threading.Timer(DEADLINE, self.process.kill)
        self.alarm.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            print("The console, with seconds:")
        print(*self.console, sep="\n")
        self.alarm.cancel()
        self.process.kill()
        self.process.communicate()

    def lines(self):
        for line in self.process.stdout:
            self.console.append(f"{time.monotonic() - START:6.1f} {line.rstrip()}")
            yield line.rstrip()

    def check_step(self, name, wanted, pattern):
        """The lines of one step: its name, what it said, its status."""
        begin = f"> {name}"
        while (line := next(self.said, None)) != begin:
            assert line is not None, f"the console ended before {begin!r}"
            assert line[:2] not in ("> ", "< ", "! "), f"{line!r} instead of {begin!r}"
        text = []
        while not (line := next(self.said, "< ")).startswith("< "):
            if line.startswith("| "):
                text.append(line[2:])
        assert line == f"< {name} {wanted}", f"{name} ended as {line!r}, not with {wanted}"
        assert re.search(pattern, "\n".join(text), re.M), f"{name} does not say {pattern!r}: {text}"

    def check_wish(self, wish):
        for line in self.said:
            if line[:2] in ("> ", "< ", "! "):
                assert line == f"! {wish}", f"{line!r} instead of the wish {wish!r}"
                return
        raise AssertionError(f"the console ended before the wish {wish!r}")

    def grant(self):
        """Tells it that what it wished for is done."""
        self.process.stdin.write("done\n")
        self.process.stdin.flush()

    def check_end(self):
        for _ in self.said:
            pass
        assert self.process.wait() == 0, "the machine did not end by itself"


def write_initramfs(out, kernel, story, program, *files):
    subprocess.run([HERE / "initramfs.sh", out, kernel, HERE / story, program, *files], check=True)


def seconds():
    return f"{time.monotonic() - START:.0f} s"
