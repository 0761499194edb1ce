# SPDX-License-Identifier: Apache-2.0
"""interop_test.py BUILD: opensc-tool, scriptor and pyscard see the same bytes of a card as
tallycard does, and it goes on working between and after them. Run by interop_test.sh."""
import re
import subprocess
import unittest

from smartcard.CardConnection import CardConnection
from smartcard.System import readers as pyscard_readers

from tallycard_world import DONE, CardProcess, World

AID = "F054414C4C594341524401"
SELECT = f"00A404000B{AID}00"
LIMITS = "80CA009200"
NO_SUCH_COMMAND, OTHER_APPLICATION = "80FE000000", "00A4040005A00000000300"


def tlv(data):
    """Tag and value of each object: one-byte tags, lengths below 256."""
    found = {}
    while data:
        start = 3 if data[1] == 0x81 else 2
        end = start + data[start - 1]
        assert data[1] <= 0x81 and end <= len(data), data.hex()
        found[data[0]], data = data[start:end], data[end:]
    return found


def output_of(command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


class OpenscTool:
    """Data and status word of each command."""
    knows_t0 = True  # it asks for the response itself

    @staticmethod
    def send(reader, commands):
        words = ["opensc-tool", "--reader", reader]
        for command in commands:
            words += ["--send-apdu", command]
        answers = []
        for part in output_of(words).split("Received ")[1:]:
            status = re.search(r"SW1=0x(\w\w), SW2=0x(\w\w)", part)
            rows = re.findall(r"^((?:[0-9A-F]{2} )+)", part, re.M)
            answers.append((bytes.fromhex("".join(rows)), "".join(status.groups())))
        return answers


class Scriptor:
    knows_t0, protocol = False, "T=1"

    @classmethod
    def send(cls, reader, commands):
        text = output_of(["scriptor", "-r", reader, "-p", cls.protocol],
                         "".join(command + "\n" for command in commands))
        answers = []
        for part in text.split("< ")[1:]:
            data = bytes.fromhex(part.partition(":")[0])
            answers.append((data[:-2], data[-2:].hex().upper()))
        return answers


class Pyscard:
    knows_t0 = False

    @staticmethod
    def send(reader, commands):
        chosen = next(r for r in pyscard_readers() if str(r) == reader)
        connection = chosen.createConnection()
        connection.connect(CardConnection.T0_protocol | CardConnection.T1_protocol)
        answers = []
        try:
            for command in commands:
                data, sw1, sw2 = connection.transmit(list(bytes.fromhex(command)))
                answers.append((bytes(data), f"{sw1:02X}{sw2:02X}"))
        finally:
            connection.disconnect()
        return answers


PROGRAMS = {"opensc-tool": OpenscTool, "scriptor": Scriptor, "pyscard": Pyscard}


class Interoperation:
    protocol, slot = "", 0

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.remove)
        self.check(self.world.make_issuer())
        card = CardProcess(self.world, "card", self.slot, self.protocol)
        self.addCleanup(card.stop)
        self.world.reader = card.reader
        Scriptor.protocol = "T=1" if self.protocol == "t1" else "T=0"
        self.check(self.world.issue())

    def check(self, answer):
        self.assertEqual(answer.code, DONE, answer)
        return answer

    def is_raw(self, program):
        """Whether the rules of T=0 are the test's to follow."""
        return self.protocol == "t0" and not program.knows_t0

    def both(self, program):
        """What SELECT and GET DATA answer."""
        if not self.is_raw(program):
            answers = program.send(self.world.reader, [SELECT, LIMITS])
            self.assertEqual([status for _, status in answers], ["9000", "9000"])
            return [data for data, _ in answers]
        answers = program.send(self.world.reader, [SELECT[:-2], LIMITS])
        waiting, length = [status for _, status in answers]
        self.assertEqual((waiting[:2], length[:2]), ("61", "6C"))
        commands = [SELECT[:-2], "00C00000" + waiting[2:], LIMITS[:-2] + length[2:]]
        answers = program.send(self.world.reader, commands)
        self.assertEqual([status for _, status in answers], [waiting, "9000", "9000"])
        return [data for data, _ in answers[1:]]

    def test_other_programs_see_the_same_card(self):
        for amount, balance in (("50", 5000), ("12.34", 6234)):
            self.check(self.world.online("top-up", amount))
            for name, program in PROGRAMS.items():
                with self.subTest(program=name):
                    self.check_card(program, balance)
            seen = [self.both(program) for program in PROGRAMS.values()]
            self.assertEqual(seen, [seen[0]] * 3)

    def check_card(self, program, balance):
        fci, limits = self.both(program)
        template = tlv(tlv(fci)[0x6F])
        self.assertEqual(template[0x84].hex().upper(), AID)
        info = tlv(template[0xA5])
        said = self.check(self.world.offline("balance", "--json")).json()
        self.assertEqual(said["balance"]["minor_units"], balance)
        self.assertEqual(int.from_bytes(info[0x8B], "big"), balance)
        self.assertEqual(int.from_bytes(info[0x83], "big"), said["sequence"])
        self.assertEqual(info[0x82].hex(), said["card"])
        limit = tlv(limits)[0x92]
        self.assertEqual(int.from_bytes(limit[:8], "big"), 100000)
        self.assertEqual(int.from_bytes(limit[8:16], "big"), 20000)

    def test_what_other_programs_ask_wrongly_changes_nothing(self):
        self.check(self.world.online("top-up", "50"))
        for name, program in PROGRAMS.items():
            with self.subTest(program=name):
                end = -2 if self.is_raw(program) else None
                commands = [SELECT[:end], NO_SUCH_COMMAND, OTHER_APPLICATION[:end]]
                selected, *refused = program.send(self.world.reader, commands)
                self.assertRegex(selected[1], "61.." if self.is_raw(program) else "9000")
                self.assertEqual([status for _, status in refused], ["6D00", "6A82"])
                self.check(self.world.offline("pay", "1", "--to", "SHOP-1"))
        self.check(self.world.run("settle"))
        self.assertEqual(self.world.balance(), 4700)
        self.assertEqual(self.world.books()["account/SHOP-1"], 300)


class OverT1(Interoperation, unittest.TestCase):
    protocol, slot = "t1", 0


class OverT0(Interoperation, unittest.TestCase):
    protocol, slot = "t0", 1


if __name__ == "__main__":
    unittest.main()
