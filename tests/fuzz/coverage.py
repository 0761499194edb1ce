#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""coverage.py BUILD [--files | --lines PATH]: runs the fuzz targets of BUILD, which run.sh has built
with clang's coverage compiled in, over their corpora alone, and prints how many of the regions of the code that
meets bytes from strangers they reach: by group, or by file. --lines shows the source of one file
with the counts of its lines.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
AIM = 93

# What meets bytes from strangers, by who sends them; each file counts in the first group that has
# it. Texts for people are not among them, nor is what the kernel and the administrator say.
GROUPS = [
    ("card: dispatcher", ["virtual-card/applet/"]),
    ("card: memory image", ["virtual-card/nvm/slot_nvm"]),
    ("card: framing to readers", ["virtual-card/vicc/vpcd_framing", "virtual-card/vicc/vscard_framing"]),
    ("objects of the protocol", ["src/protocol/", "include/tallycard/"]),
    ("signatures and seals", ["src/crypto/verify", "src/crypto/ed25519", "src/crypto/seal",
                              "src/crypto/card_signer"]),
    ("terminal: card session", ["src/card/"]),
    ("terminal: operations", ["src/terminal/"]),
    ("platform", ["src/issuer/authorise", "src/issuer/settle", "src/issuer/books",
                  "src/issuer/platform"]),
    ("store", ["src/issuer/sql_", "src/issuer/sqlite_", "src/issuer/store_rows"]),
    ("service: messages", ["src/https/json", "src/https/messages", "src/https/signed_objects",
                           "src/https/error_json", "src/https/endpoint"]),
    ("service: requests", ["src/service/api", "src/service/cards_api",
                           "src/service/checkpoints", "src/service/ledger_api",
                           "src/service/operations_api", "src/service/order_queue",
                           "src/service/routes", "src/service/tlog_api",
                           "src/service/usage"]),
    ("key, issuer and journal files", ["src/issuer/key_file", "src/issuer/issuer_description",
                                       "src/issuer/passphrase", "src/crypto/transport_key_file",
                                       "src/issuer/files", "src/issuer/text",
                                       "src/issuer/pkcs11/uri"]),
    ("ledger: notes, proofs, exports", ["src/issuer/checkpoint", "src/issuer/merkle",
                                        "src/issuer/base64", "src/issuer/ledger_"]),
    ("witnesses", ["src/issuer/add_checkpoint", "src/issuer/cosignature", "src/issuer/note_key",
                   "src/issuer/signed_note", "src/issuer/utf8", "src/issuer/witness_policy",
                   "src/witness/witness", "src/witness/state"]),
    ("node of a chain", ["src/evm/abi", "src/evm/hex", "src/evm/rpc", "src/evm/node",
                         "src/evm/transaction"]),
    ("readers: pcscd", ["readers/pcsc/", "readers/queued_monitor"]),
    ("readers: card programs", ["readers/vpcd/"]),
    ("driver for pcscd", ["readers/ifd/ifd_config", "readers/ifd/ifd_slot", "readers/ifd/ifd_reader",
                          "readers/ifd/part10", "readers/ifd/pin_", "readers/ifd/ifd_attributes",
                          "readers/ifd/program_source"]),
    ("plans, records, reader names", ["readers/fault/fault_plan", "readers/replay/", "readers/text_",
                                      "readers/trace/masking", "readers/reader_spec"]),
]


def programs(build):
    folder = build / "tests/fuzz"
    return sorted(p for p in folder.glob("*_fuzz") if os.access(p, os.X_OK) and p.is_file())


def replay(build):
    """Returns the merged profile of all targets over their corpora."""
    raw = []
    for program in programs(build):
        name = program.name.removesuffix("_fuzz")
        profile = build / f"{name}.profraw"
        done = subprocess.run([program, "-runs=0", ROOT / "tests/fuzz/corpus" / name],
                              env=os.environ | {"LLVM_PROFILE_FILE": str(profile)},
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            sys.exit(f"{name}: its corpus fails ({done.returncode})")
        raw.append(profile)
    merged = build / "fuzz.profdata"
    subprocess.run(["llvm-profdata-14", "merge", "-sparse", *raw, "-o", merged], check=True)
    return merged


def llvm_cov(build, profile, *arguments):
    first, *others = programs(build)
    objects = [f"-object={p}" for p in others]
    command = ["llvm-cov-14", arguments[0], f"-instr-profile={profile}", first, *objects]
    return subprocess.run([*command, *arguments[1:]], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


NOT_AMONG_THEM = ["src/protocol/error.cpp", "src/protocol/program_name.cpp",
                  "readers/pcsc/service_clients.cpp", "readers/ifd/ifd_reader.cpp"]


def group_of(path):
    if path in NOT_AMONG_THEM:
        return None
    for group, prefixes in GROUPS:
        if any(path.startswith(prefix) for prefix in prefixes):
            return group
    return None


def measure(build, profile):
    """Rows (group, path, regions, reached)."""
    data = json.loads(llvm_cov(build, profile, "export", "-summary-only"))
    rows = []
    for file in data["data"][0]["files"]:
        path = os.path.normpath(build / file["filename"]).removeprefix(f"{ROOT}/")
        regions = file["summary"]["regions"]
        group = group_of(path)
        if group and regions["count"]:
            rows.append((group, path, regions["count"], regions["covered"]))
    return rows


def line(name, count, reached):
    return f"| {name} | {count} | {reached} | {100 * reached / count:.1f} % |"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--files", action="store_true")
    parser.add_argument("--lines")
    options = parser.parse_args()
    build = options.build.resolve()
    profile = replay(build)
    if options.lines:
        text = llvm_cov(build, profile, "show").decode(errors="replace")
        for part in text.split("\n\n"):
            if part.split("\n", 1)[0].endswith(f"/{options.lines}:"):
                print(part)
        return
    rows = measure(build, profile)
    print("| code | regions | reached | |\n| --- | --- | --- | --- |")
    for group, _ in GROUPS:
        inside = [row for row in rows if row[0] == group]
        if not inside:
            continue
        print(line(group, sum(r[2] for r in inside), sum(r[3] for r in inside)))
        for _, path, count, reached in inside if options.files else []:
            print(line(f"&nbsp; {path}", count, reached))
    total, reached = sum(r[2] for r in rows), sum(r[3] for r in rows)
    print(line("all", total, reached))
    if 100 * reached / total < AIM:
        sys.exit(f"below {AIM} %")


if __name__ == "__main__":
    main()
