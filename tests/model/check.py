#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check.py [--large]: checks the model of the design with spin, exhaustively, on one core.

The design must be clean; then each fault that is switched on must break what it is known to break,
and leave whole what it is known to leave whole. --large checks the design alone, in a larger world.
docs/reliability.md has the results.
"""

import os
import re
import subprocess
import sys
import tempfile
import time

MODEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tallycard.pml")
CHECKS = {"creation": 1, "accounted": 2, "books": 4, "earned": 8, "ends": 16, "proof": 32}
DESIGN = ["creation", "accounted", "books", "earned", "ends"]

SMALL = {"SIGNATURES": 2, "PAYMENTS": 1, "REQUESTS": 1, "MAX_SEQUENCE": 2}
LARGE = {"SIGNATURES": 2, "PAYMENTS": 2, "REQUESTS": 1, "MAX_SEQUENCE": 3}
FAULT = {"SIGNATURES": 1, "PAYMENTS": 1, "REQUESTS": 1, "MAX_SEQUENCE": 2}
MEMORY_MIB = 8000

# Switch: what it breaks, what it leaves whole, and what its world needs beyond FAULT.
FAULTS = {
    "NO_SEQUENCE": (["creation"], ["accounted", "books", "earned"], {}),
    "BALANCE_FIRST": (["creation", "accounted"], ["books", "earned"], {}),
    "SEQUENCE_FIRST": (["creation", "accounted"], ["books", "earned"], {}),
    "NO_CHECKSUM": (["accounted"], [], {}),
    "REFUND_ON_TIMEOUT": (["creation", "ends"], ["accounted", "books", "earned"], {}),
    "REFUND_ON_STATEMENT": (["creation", "ends"], ["accounted", "books", "earned"], {}),
    "VOID_ENDS_AT_ONCE": (["creation", "ends"], ["accounted", "books", "earned"], {}),
    "CREDIT_ON_SECOND": (["creation", "earned"], ["books"], {}),
    "NO_FLOOR": (["creation", "accounted"], ["books", "earned"], {}),
    "TWO_IN_FLIGHT": (["accounted", "ends"], [], {"SIGNATURES": 2}),
    "NO_RESULT_AGAIN": (["ends"], ["creation", "accounted", "books", "earned"], {}),
    "NO_OFFLINE_LIMIT": (["ends"], ["creation", "accounted", "books", "earned"],
                         {"MAX_SEQUENCE": 3, "PAYMENTS": 3, "START": 3, "SIGNATURES": 0,
                          "REQUESTS": 0}),
    "SETTLE_TWICE": (["accounted", "earned"], [], {}),
    "SETTLE_ANY_ORDER": (["creation", "ends"], [], {"PAYMENTS": 2, "START": 2, "REQUESTS": 0}),
    "CLONED_CARD": (["creation"], ["books", "proof"], {}),
}


class Run:
    """One model, compiled and checked to the end or to the first violation."""

    def __init__(self, world, checks, fault=None, optimise="-O0"):
        options = [f"-D{name}={value}" for name, value in world.items()]
        options.append(f"-DCHECKS={sum(CHECKS[check] for check in checks)}")
        if fault:
            options.append(f"-DFAULT_{fault}")
        with tempfile.TemporaryDirectory() as folder:
            self._check(folder, options, optimise)

    def _check(self, folder, options, optimise):
        def output_of(*command):
            done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, check=False)
            if done.returncode != 0:
                sys.exit(f"{command[0]}: status {done.returncode}\n{done.stdout}")
            return done.stdout

        output_of("spin", "-a", *options, MODEL)
        # NOREDUCE: a process with a `provided` clause rules the reduction out. -E: the end of the
        # world is no deadlock.
        output_of("cc", optimise, "-w", "-DSAFETY", "-DNOREDUCE", "-DCOLLAPSE",
                  f"-DMEMLIM={MEMORY_MIB}", "-o", "pan", "pan.c")
        start = time.monotonic()
        report = output_of("./pan", "-E", "-m1000000", "-w24")
        self.seconds = time.monotonic() - start
        self.states = int(re.search(r"(\d+) states, stored", report)[1])
        self.depth = int(re.search(r"depth reached (\d+)", report)[1])
        self.mebibytes = float(re.search(r"([\d.]+)\s+total actual memory", report)[1])
        errors = int(re.search(r"errors: (\d+)", report)[1])
        self.complete = "Search not completed" not in report
        self.broken = None
        if errors:
            trail = output_of("spin", "-t", "-k", "tallycard.pml.trail", *options, MODEL)
            found = re.search(r"BROKEN (\w+)", trail)
            if not found:
                sys.exit(f"not a property, but an error of the model:\n{report}")
            self.broken = found[1]
            self.events = len(re.findall(r"^\s*EV ", trail, re.MULTILINE))
        elif not self.complete:
            sys.exit(f"the check did not come to its end:\n{report}")


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def check_design(world):
    row("world", "states", "depth", "MiB", "seconds", "broken")
    row(*["---"] * 6)
    run = Run(world, DESIGN, optimise="-O2")
    row(", ".join(f"{name} {value}" for name, value in world.items()), f"{run.states:,}",
        run.depth, round(run.mebibytes), round(run.seconds), run.broken or "nothing")
    return run.broken is None


def check_faults():
    row("switch", "breaks", "found after states", "leaves whole", "states", "seconds", "verdict")
    row(*["---"] * 7)
    good = True
    for fault, (breaks, leaves, extra) in FAULTS.items():
        world = FAULT | extra
        found = [Run(world, [broken], fault) for broken in breaks]
        whole = Run(world, leaves, fault) if leaves else None
        right = (all(run.broken == broken for run, broken in zip(found, breaks))
                 and (whole is None or whole.broken is None))
        good = good and right
        row(f"`{fault}`", ", ".join(breaks), ", ".join(f"{run.states:,}" for run in found),
            ", ".join(leaves), f"{whole.states:,}" if whole else "",
            round(sum(run.seconds for run in found + ([whole] if whole else [])), 1),
            "as expected" if right else
            f"WRONG: found {[run.broken for run in found]}, whole: {whole and whole.broken}")
    return good


def main(arguments):
    if arguments == ["--large"]:
        good = check_design(LARGE)
    elif not arguments:
        good = check_design(SMALL)
        print()
        good = check_faults() and good
    else:
        sys.exit(__doc__)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
