# SPDX-License-Identifier: Apache-2.0
"""conformance_test.py BUILD KERNEL CASES: the conformance suite on a USB reader. Boots a virtual
machine with the kernel in KERNEL (see kernel.sh), in which the suite, pcscd and libccid run; the
suite's cards come back to this machine over the network, and enter the guest's USB reader."""
import pathlib
import socket
import sys
import tempfile

from card_bridge import Bridge, Cards
from machine import DONE, Machine, seconds, write_initramfs


def main(build, kernel, cases):
    with tempfile.TemporaryDirectory(prefix="tallycard-") as name, socket.socket() as listener:
        folder = pathlib.Path(name)
        initramfs = folder / "initramfs"
        (folder / "cases").write_text(cases)
        write_initramfs(initramfs, kernel, "conformance.sh",
                        build / "tests/conformance/conformance_tests", folder / "cases")
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        cards = Cards()
        with Machine(kernel, initramfs, listener, [f"card_port={cards.port}"]) as machine:
            Bridge(cards, listener.getsockname()[1])
            machine.check_step("usb", DONE, "QEMU USB CCID")
            machine.check_step("network", DONE, "10.0.2.15")
            machine.check_step("suite", DONE, "All tests passed")
            machine.check_end()
    print(f"the suite in {seconds()}")


main(*(pathlib.Path(argument).resolve() for argument in sys.argv[1:3]), sys.argv[3])
