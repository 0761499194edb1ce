#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [--seeds N] [--seconds T] [--first-seed S] [NAME...]: puts each bug of mutants.py into a
copy of the tree, builds the simulation there, and says which seed found it; where none did, whether
the tests do that keep what seeds have found. Fails where one was not found. The copy is
build/mutants, and stays for the next run."""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from mutants import MUTANTS

ROOT = pathlib.Path(__file__).resolve().parents[3]
COPY = ROOT / "build" / "mutants"
BUILD = COPY / "build" / "release"
TESTS = {"simulation_tests": [], "applet_tests": ["[nvm]"]}


def run(command, **more):
    return subprocess.run(command, text=True, capture_output=True, check=False, **more)


def copy_tree():
    """The tree as it is in the working folder; files that did not change keep their times."""
    listed = run(["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"])
    for name in listed.stdout.splitlines():
        source, target = ROOT / name, COPY / name
        if not source.is_file():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_bytes() != source.read_bytes():
            shutil.copy(source, target)


def configure():
    if (BUILD / "build.ninja").exists():
        return
    command = ["cmake", "--preset", "release", "-G", "Ninja", "-DTALLYCARD_BUILD_PROOFS=ON"]
    if shutil.which("ccache"):
        command.append("-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
    done = run(command, cwd=COPY)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)


def put(name, file, old, new):
    text = file.read_text()
    if text.count(old) != 1:
        sys.exit(f"{name}: its place in {file} is not there once")
    file.write_text(text.replace(old, new))


def build(*targets):
    return run(["cmake", "--build", str(BUILD), "--target", *targets])


def simulate(options):
    began = time.monotonic()
    done = run([str(BUILD / "tests" / "simulation" / "tallycard_simulation"),
                "--seeds", str(options.seeds), "--seconds", str(options.seconds),
                "--first-seed", str(options.first_seed), "--no-probes", "--no-shrink"])
    broken = re.search(r"^seed (\d+) broke (.*)$", done.stdout, re.MULTILINE)
    if done.returncode == 0:
        return None, time.monotonic() - began
    how = f"seed {broken[1]}: {broken[2]}" if broken else (done.stderr.strip() or "it crashed")
    return how, time.monotonic() - began


def test():
    """What a seed in millions has found is a test of its own: worlds, and memories cut twice."""
    build(*TESTS)
    for name in TESTS:
        done = run([str(next(BUILD.glob(f"tests/*/{name}"))), *TESTS[name]])
        if done.returncode != 0:
            return f"{name}: " + re.search(r"^-{9,}\n(.*)\n-{9,}$", done.stdout, re.MULTILINE)[1]
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3000)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    os.environ.setdefault("CCACHE_NOHASHDIR", "1")

    copy_tree()
    configure()
    built = build("tallycard_simulation")
    if built.returncode != 0:
        sys.exit(built.stdout[-4000:])
    if not options.names:
        how, _ = simulate(options)
        if how:
            sys.exit(f"without any bug: {how}")

    missed = []
    for name, *edits in MUTANTS:
        if options.names and name not in options.names:
            continue
        texts = {COPY / path: (COPY / path).read_text() for path in edits[::3]}
        try:
            for path, old, new in zip(edits[::3], edits[1::3], edits[2::3]):
                put(name, COPY / path, old, new)
            built = build("tallycard_simulation")
            if built.returncode != 0:
                sys.exit(f"{name} does not build:\n{built.stdout[-3000:]}")
            how, seconds = simulate(options)
            how = how or test()
        finally:
            for file, text in texts.items():
                file.write_text(text)
        print(f"{'found' if how else 'NOT FOUND':10} {name:45} {seconds:5.0f} s  {how or ''}", flush=True)
        if not how:
            missed.append(name)
    print(f"{len(missed)} not found" if missed else "all found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
