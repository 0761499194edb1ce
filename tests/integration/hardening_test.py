# SPDX-License-Identifier: Apache-2.0
"""hardening_test.py BUILD OPTIMISED FILE...: what is built is hardened, and what is installed of it
finds its libraries beside it and nowhere else. FILE is a program or a shared library of ours."""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

BUILD, OPTIMISED = pathlib.Path(sys.argv[1]), sys.argv[2] == "yes"
FILES = [pathlib.Path(name) for name in sys.argv[3:]]
assert FILES, __doc__


def read_elf(option, file):
    return subprocess.run(["readelf", "--wide", option, str(file)], check=True,
                          capture_output=True, text=True).stdout


def search_paths(file):
    found = re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", read_elf("--dynamic", file))
    return [path for each in found for path in each.split(":")]


class Hardening(unittest.TestCase):
    def for_each_file(self, check):
        for file in FILES:
            with self.subTest(file=file.name):
                check(file)

    def test_all_of_it_may_be_anywhere_in_memory(self):
        def check(file):
            self.assertRegex(read_elf("--file-header", file), r"Type: +DYN")
            self.assertNotIn("TEXTREL", read_elf("--dynamic", file))
            if ".so" not in file.name:
                self.assertRegex(read_elf("--dynamic", file), r"FLAGS_1.*\bPIE\b")
        self.for_each_file(check)

    def test_what_the_linker_fills_in_is_read_only_before_it_starts(self):
        def check(file):
            self.assertIn("GNU_RELRO", read_elf("--program-headers", file))
            self.assertRegex(read_elf("--dynamic", file), r"FLAGS_1.*\bNOW\b")
        self.for_each_file(check)

    def test_no_stack_and_no_writable_memory_can_be_executed(self):
        def check(file):
            headers = read_elf("--program-headers", file)
            self.assertRegex(headers, r"GNU_STACK .* RW +0x")
            for line in headers.splitlines():
                self.assertNotRegex(line, r"LOAD .* RWE ")
        self.for_each_file(check)

    def test_a_stack_that_was_written_over_is_noticed(self):
        self.for_each_file(lambda file: self.assertIn(
            "__stack_chk_fail", read_elf("--dyn-syms", file)))

    @unittest.skipUnless(OPTIMISED, "fortified only where it is optimised")
    def test_calls_that_may_overflow_are_checked(self):
        symbols = "".join(read_elf("--dyn-syms", file) for file in FILES)
        self.assertRegex(symbols, r"__\w+_chk@")


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.prefix = pathlib.Path(folder.name)
        subprocess.run(["cmake", "--install", str(BUILD), "--prefix", folder.name], check=True,
                       stdout=subprocess.DEVNULL)

    def test_programs_find_our_libraries_beside_them_and_nowhere_else(self):
        programs = [path for path in self.prefix.rglob("*") if path.is_file()
                    and not path.is_symlink() and path.read_bytes()[:4] == b"\x7fELF"]
        self.assertGreaterEqual(len(programs), 4)
        for path in programs:
            with self.subTest(file=path.name):
                for place in search_paths(path):
                    self.assertRegex(place, r"^\$ORIGIN(/\.\./lib(/[\w-]+)?)?$")

    def test_a_consumer_gets_none_of_the_flags(self):
        files = [path for end in ("cmake", "pc") for path in self.prefix.rglob(f"*.{end}")]
        self.assertGreaterEqual(len(files), 4)
        for path in files:
            self.assertNotRegex(path.read_text(), "stack-|cf-protection|FORTIFY|relro|"
                                                  "noexecstack|GLIBCXX_ASSERTIONS|hardening")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
