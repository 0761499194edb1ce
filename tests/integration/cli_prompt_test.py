# SPDX-License-Identifier: Apache-2.0
"""cli_prompt_test.py BUILD: secrets typed at a terminal. However the prompt ends, the terminal has
its echo back."""
import fcntl
import os
import pathlib
import pty
import signal
import subprocess
import termios
import unittest

from tallycard_world import DONE, PIN, REFUSED, CopyCase, wait_until

# Runs a command as a shell with job control does, and says how it ended, or that it has stopped. A
# session that ends resets its terminal, so this one lives on until it is told otherwise.
SHELL = """set -m; trap : INT
"$@"; echo "ended $?"; read -r go
[ "$go" != fg ] || { fg; echo "ended $?"; read -r go; }"""


class Session:
    """The tool in a terminal of its own."""

    def __init__(self, world, *words):
        self.terminal, self.inside = pty.openpty()
        assert self.has_echo()
        self.shell = subprocess.Popen(
            ["sh", "-c", SHELL, "sh", world.tool_path, *words], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=world.environment | {"TALLYCARD_ISSUER": str(world.issuer)},
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(self.inside, termios.TIOCSCTTY))

    def end(self):
        for child in self.children():
            os.kill(child, signal.SIGKILL)
        self.shell.kill()
        self.shell.communicate()
        os.close(self.inside)
        os.close(self.terminal)

    def children(self):
        path = pathlib.Path(f"/proc/{self.shell.pid}/task/{self.shell.pid}/children")
        return [int(word) for word in path.read_text().split()]

    def signal(self, number):
        child, = self.children()
        os.kill(child, number)

    def has_echo(self):
        return bool(termios.tcgetattr(self.inside)[3] & termios.ECHO)

    def wait_for_prompt(self, text):
        """Until it asks for this, without echo."""
        said = ""
        while text not in said:
            said += os.read(self.terminal, 100).decode()
        wait_until(lambda: not self.has_echo(), "the echo is off")

    def type(self, text):
        os.write(self.terminal, text.encode())

    def wait_for_end(self):
        """The shell's word for how it ended, and what was printed before."""
        said = ""
        while not (line := self.shell.stdout.readline()).startswith("ended "):
            assert line, said
            said += line
        return int(line.split()[1]), said

    def tell_shell(self, word):
        self.shell.stdin.write(word + "\n")


class Prompts(CopyCase):
    def at_prompt(self):
        session = Session(self.world, "pin", "-r", self.world.reader)
        self.addCleanup(session.end)
        session.wait_for_prompt("PIN of the card: ")
        return session

    def test_a_pin_typed_at_the_prompt_is_never_shown(self):
        session = self.at_prompt()
        session.type(f"{PIN}\n")
        session.wait_for_prompt("New PIN: ")
        session.type("1111\n")
        session.wait_for_prompt("The same again: ")
        session.type("1111\n")
        code, said = session.wait_for_end()
        self.assertEqual(code, DONE, said)
        self.assertTrue(session.has_echo())
        self.assertIn("changed", said)

    def test_a_new_pin_that_is_typed_differently_the_second_time_changes_nothing(self):
        session = self.at_prompt()
        session.type(f"{PIN}\n")
        session.wait_for_prompt("New PIN: ")
        session.type("1111\n")
        session.wait_for_prompt("The same again: ")
        session.type("1112\n")
        code, said = session.wait_for_end()
        self.assertEqual(code, REFUSED, said)
        self.assertIn("the two differ", said)
        self.check_unchanged()

    def test_a_signal_at_the_prompt_ends_the_tool_and_gives_the_echo_back(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            session = self.at_prompt()
            session.signal(number)
            self.assertEqual(session.wait_for_end()[0], 128 + number)
            self.assertTrue(session.has_echo())
        self.check_unchanged()

    def test_ctrl_c_at_the_prompt_ends_the_tool_and_gives_the_echo_back(self):
        session = self.at_prompt()
        session.type("12\x03")
        self.assertEqual(session.wait_for_end()[0], 128 + signal.SIGINT)
        self.assertTrue(session.has_echo())
        self.check_unchanged()

    def test_ctrl_z_at_the_prompt_gives_the_echo_back_until_it_asks_again(self):
        session = self.at_prompt()
        session.type("12\x1a")
        self.assertEqual(session.wait_for_end()[0], 128 + signal.SIGTSTP)
        self.assertTrue(session.has_echo())
        session.tell_shell("fg")
        session.wait_for_prompt("PIN of the card: ")
        session.type(f"{PIN}\n")
        session.wait_for_prompt("New PIN: ")
        session.type("1111\n")
        session.wait_for_prompt("The same again: ")
        session.type("1111\n")
        code, said = session.wait_for_end()
        self.assertEqual(code, DONE, said)
        self.assertTrue(session.has_echo())


if __name__ == "__main__":
    unittest.main()
