#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of check_style.py."""

import pathlib
import tempfile
import unittest

import check_style

HEAD = f"// {check_style.LICENCE}\n"


class CheckSource(unittest.TestCase):
    def complaints(self, path, text):
        return [f"{line}: {what}" for line, what in check_style.check_source(path, text)]

    def test_sources_that_are_fine(self):
        for path, text in [
            ("sse/a.cc", HEAD),
            ("sse/a.cc", HEAD + "x" * 100 + "\n"),
            ("sse/a.cc", HEAD + "\n" * 399),
            ("sse/a_test.cc", HEAD + "\n" * 599),
            ("sse/a_test.cc", HEAD + "TEST(Decoder, ends_an_event_at_CR) {\n"),
            ("tools/check", f"#!/bin/bash\n# {check_style.LICENCE}\n"),
            ("sse/CMakeLists.txt", f"# {check_style.LICENCE}\n"),
        ]:
            with self.subTest(path=path, text=text[:200]):
                self.assertEqual(self.complaints(path, text), [])

    def test_sources_that_are_not(self):
        for path, text, complaint in [
            ("sse/a.cc", "", "1: does not begin with SPDX"),
            ("sse/a.cc", "\n" + HEAD, "1: does not begin with SPDX"),
            ("tools/check", f"#!/bin/bash\n\n# {check_style.LICENCE}\n", "1: does not begin"),
            ("sse/a.cc", HEAD + "x" * 101 + "\n", "2: has 101 characters, of 100 at most"),
            ("test/a.mjs", HEAD + "x" * 121 + "\n", "2: has 121 characters, of 120 at most"),
            ("sse/a.cc", HEAD + "\n" * 400, "0: has 401 lines, of 400 at most"),
            ("sse/a.h", HEAD + "\n" * 300, "0: has 301 lines, of 300 at most"),
            ("sse/a_test.cc", HEAD + "\n" * 600, "0: has 601 lines, of 600 at most"),
            ("sse/a.cc", HEAD + "x \n", "2: white space at its end"),
            ("sse/a.cc", HEAD + "x\r\n", "2: white space at its end"),
            ("sse/a.cc", HEAD + "x", "2: no line end at the end"),
            ("sse/a.cc", HEAD + "// TODO: more\n", "2: open work belongs into an issue"),
            ("sse/SseHelpers.cc", HEAD, "0: the file's name is not in snake_case"),
            ("sse/a_test.cc", HEAD + "TEST_F(My_Suite, says_what) {\n", "PascalCase: My_Suite"),
            ("sse/a_test.cc", HEAD + "TEST(Suite, TestCRLF2) {\n", "no sentence in snake_case"),
            ("sse/a_test.cc", HEAD + "TEST(\n    Suite,\n    works) {\n", "2: the test's name is"),
        ]:
            with self.subTest(path=path, text=text[:200]):
                found = self.complaints(path, text)
                self.assertEqual(len(found), 1, found)
                self.assertIn(complaint, found[0])


class CheckTree(unittest.TestCase):
    def test_looks_at_sources_that_are_written_by_hand(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name in ["sse/seeds/x", "build/a.cc", "test/node_modules/a.mjs", "docs/a.md"]:
                (root / name).parent.mkdir(parents=True)
                (root / name).write_text("#!")
            (root / "script").mkdir()
            (root / "script/setup").write_text("#!/bin/bash\n")
            (root / "sse/a.h").write_text("\n")
            licence = f"does not begin with {check_style.LICENCE}"
            self.assertEqual(
                check_style.check_tree(root),
                [f"script/setup:1: {licence}", f"sse/a.h:1: {licence}"],
            )

    def test_wants_a_source_to_include_its_header_first(self):
        own = '#include "sse/a.h"\n'
        for text, complaints in [
            (own + "#include <string>\n", []),
            ("#include <string>\n" + own, ["sse/a.cc:2: does not include sse/a.h first"]),
            ("", ["sse/a.cc:0: does not include sse/a.h first"]),
        ]:
            with self.subTest(text=text), tempfile.TemporaryDirectory() as folder:
                root = pathlib.Path(folder)
                (root / "sse").mkdir()
                (root / "sse/a.h").write_text(HEAD)
                (root / "sse/a.cc").write_text(HEAD + text)
                (root / "sse/a_test.cc").write_text(HEAD + "#include <string>\n")
                self.assertEqual(check_style.check_tree(root), complaints)


if __name__ == "__main__":
    unittest.main()
