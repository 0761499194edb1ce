# SPDX-License-Identifier: Apache-2.0
"""soak.py BUILD [--minutes N | --seconds N] [--cards N] [--no-memory]: payments through pcscd with
rising and falling load, beside private_pcscd.sh --driver tallycard --driver vpcd.

Each card is a process in a reader of its own, each terminal a process at one of them; the platform
is one more. One terminal after the other begins its shift until all work, and ends it until one is
left, again and again. At the top and at the bottom the resident memory and the open descriptors of
every process are read. The soak fails when they are not flat, when any operation is not applied and
settled, or when cards, books and ledger disagree in the end."""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "integration"))
from tallycard_world import World, build_folder, wait_until  # noqa: E402

# What memory may differ by between the first and the last quarter, at equal load. A page more or
# less is the allocator's; a leak of 16 bytes an operation is beyond it after an hour. A short run
# sees programs that still get warm, and shows that the soak works rather than that nothing leaks.
TOLERANCE_KIB = 512
SHORT_RUN_TOLERANCE_KIB = 4096
SHORT_RUN_SECONDS = 600
# pcscd closes what a program left a moment after it; a short run has two samples in a quarter.
SHORT_RUN_DESCRIPTORS = 1
OUR_SLOTS, VPCD_SLOTS = 4, 2


class Process:
    def __init__(self, name, command, **popen):
        self.name = name
        self.process = subprocess.Popen(command, text=True, **popen)
        self.pid = self.process.pid

    def sample(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(resident.split()[1]), self.descriptors()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)


class Daemon(Process):
    """The pcscd beside which this runs: the only one of its process namespace."""

    def __init__(self):
        names = {int(p.parent.name): p.read_text().strip() for p in
                 pathlib.Path("/proc").glob("[0-9]*/comm")}
        self.name = "pcscd"
        self.pid = next(pid for pid, name in names.items() if name == "pcscd")

    def descriptors(self):
        """Once it has taken notice of those who left: it does so in threads of its own."""
        same, count = 0, 0
        while same < 5:
            time.sleep(0.05)
            found = super().descriptors()
            same, count = (same + 1 if found == count else 0), found
        return count


class Terminal(Process):
    """Works in shifts."""

    def __init__(self, number, world, reader):
        super().__init__(f"terminal {number}",
                         [f"{build_folder}/tests/soak/soak_terminal",
                          str(world.issuer / "issuer.pub"), str(world.root / "platform"),
                          str(world.root / f"journal-{number}"), reader],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.operations = self.shifts = 0

    def say(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def start_shift(self):
        self.say("start")
        assert self.process.stdout.readline() == "at work\n", f"{self.name} failed"

    def end_shift(self):
        self.say("end")
        answer = self.process.stdout.readline()
        assert answer, f"{self.name} failed"
        self.operations += int(answer)
        self.shifts += 1

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=20) == 0, self.name


class Soak:
    def __init__(self, cards):
        self.world = World()
        self.answered(self.world.make_issuer())
        self.readers = [f"tallycard virtual reader 00 0{i}" for i in range(OUR_SLOTS)] + \
                       [f"Virtual PCD 00 0{i}" for i in range(VPCD_SLOTS)]
        self.readers = self.readers[:cards]
        self.cards = [self.insert(i) for i in range(cards)]
        for i, reader in enumerate(self.readers):
            self.answered(self.world.online(
                "issue", "--transport-key-file", str(self.world.root / f"image-{i}-key"),
                "--without-pin", "--max-balance", "1000000", "--offline-payments", "15",
                reader=reader))
        self.platform = Process("platform", [
            f"{build_folder}/tests/soak/soak_platform", str(self.world.issuer),
            str(self.world.root / "passphrase"), str(self.world.root / "platform")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.platform.process.stdout.readline() == "ready\n", "the platform failed"
        self.terminals = [Terminal(i + 1, self.world, reader)
                          for i, reader in enumerate(self.readers)]
        self.watched = [Daemon(), self.platform, *self.terminals, *self.cards]
        self.samples = {"top": [], "bottom": []}

    @staticmethod
    def answered(answer):
        assert answer.code == 0, answer

    def insert(self, slot):
        """The card of this reader, a process; blank the first time."""
        image = self.world.root / f"image-{slot}"
        key = f"{image}-key"
        if not image.exists():
            self.world.write_private(f"image-{slot}-key", os.urandom(32).hex())
        place = ["--socket", f"{os.environ['TALLYCARD_SLOTS']}/slot-{slot}"] \
            if slot < OUR_SLOTS else \
            ["--port", str(int(os.environ["TALLYCARD_VPCD_PORT"]) + slot - OUR_SLOTS)]
        card = Process(f"card {slot + 1}",
                       [self.world.vicc_path, "--image", str(image), "--transport-key-file", key,
                        *place], stdout=subprocess.DEVNULL)
        wait_until(lambda: self.is_inserted(slot), "the card shows in its reader")
        return card

    def is_inserted(self, slot):
        rows = self.world.run("readers", "--json").json()["readers"]
        return any(row["reader"] == self.readers[slot] and row["card"] for row in rows)

    def take_sample(self, load):
        self.samples[load].append({each.name: each.sample() for each in self.watched})

    def cycle(self, step):
        """Up to all and down to one. The last card is taken out while its terminal rests, and comes
        back as a new process: it is not watched."""
        for terminal in self.terminals[1:]:
            terminal.start_shift()
            time.sleep(step)
        self.take_sample("top")
        for terminal in reversed(self.terminals[1:]):
            terminal.end_shift()
            time.sleep(step)
        self.cards[-1].stop()
        self.cards[-1] = self.insert(len(self.cards) - 1)
        self.take_sample("bottom")
        self.terminals[0].end_shift()
        self.terminals[0].start_shift()

    def run(self, seconds):
        self.watched.remove(self.cards[-1])
        step = min(10.0, seconds / 30 / len(self.terminals))
        end = time.monotonic() + seconds
        self.terminals[0].start_shift()
        while time.monotonic() < end:
            self.cycle(step)
        self.terminals[0].end_shift()
        for process in (*self.terminals, self.platform):
            process.process.stdin.close()
            assert process.process.wait(timeout=20) == 0, process.name

    def audit(self):
        """Cards, books and ledger agree."""
        secret = ["--passphrase-file", str(self.world.root / "passphrase")]
        self.world.books()
        # As long as it takes: an hour is some hundred thousand records.
        self.answered(self.world.finish(self.world.start("ledger", "verify", *secret), None))
        status = self.world.run("issuer", "status", "--json").json()
        assert not status["pending"] and not status["evidence"], status
        settled = {card["balance"]["minor_units"] for card in status["cards"]}
        on_cards = {self.world.balance(reader=reader) for reader in self.readers}
        assert settled == on_cards, f"cards hold {on_cards}, books say {settled}"
        for card in self.cards:
            card.stop()
        self.world.remove()
        return sum(card["settled"] for card in status["cards"])


def quarters(samples):
    """Of what comes after the first tenth, in which programs get warm."""
    samples = samples[(len(samples) + 9) // 10:]
    size = max(1, len(samples) // 4)
    return samples[:size], samples[-size:]


def median(samples, name, which):
    return statistics.median(sample[name][which] for sample in samples)


def table(samples, tolerance, descriptors):
    """Lines, and what is not flat: by so many KiB, by so many descriptors."""
    lines, faults = [], []
    lines.append("| process | load | RSS first quarter, KiB | last | descriptors first | last |")
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for name in samples["top"][0]:
        for load in ("top", "bottom"):
            first, last = quarters(samples[load])
            memory = [median(part, name, 0) for part in (first, last)]
            files = [median(part, name, 1) for part in (first, last)]
            lines.append(f"| {name} | {load} | {memory[0]:.0f} | {memory[1]:.0f} "
                         f"| {files[0]:.0f} | {files[1]:.0f} |")
            if memory[1] > memory[0] + tolerance:
                faults.append(f"{name}: memory grows by {memory[1] - memory[0]:.0f} KiB")
            if files[1] > files[0] + descriptors:
                faults.append(f"{name}: {files[1] - files[0]:.0f} descriptors more")
    return lines, faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--cards", type=int, choices=range(2, OUR_SLOTS + VPCD_SLOTS + 1))
    parser.add_argument("--no-memory", action="store_true",
                        help="compare descriptors alone: sanitizers keep what was freed")
    chosen = parser.parse_args()
    seconds = chosen.minutes * 60 if chosen.minutes else chosen.seconds
    short = seconds < SHORT_RUN_SECONDS
    soak = Soak(chosen.cards or OUR_SLOTS + VPCD_SLOTS)
    began = time.monotonic()
    soak.run(seconds)
    took = time.monotonic() - began
    tolerance = float("inf") if chosen.no_memory else \
        SHORT_RUN_TOLERANCE_KIB if short else TOLERANCE_KIB
    lines, faults = table(soak.samples, tolerance, SHORT_RUN_DESCRIPTORS if short else 0)
    print("\n".join(lines))
    print(f"{sum(t.operations for t in soak.terminals)} operations in "
          f"{sum(t.shifts for t in soak.terminals)} shifts and {took:.0f} s; "
          f"{len(soak.samples['top'])} times up and down", flush=True)
    print(f"cards, books and ledger agree: {soak.audit()} results settled")
    for fault in faults:
        print(f"NOT FLAT: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
