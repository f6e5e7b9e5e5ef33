#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what the formatter leaves alone, and prints what is not as it should be.

In each source: the licence's line at its top, no line or file that is too long, no open work (it belongs
into an issue), no white space at the end of a line; a name in snake_case. In C++: a source includes its own
header first, so that the header is compiled alone; tests have names that are sentences.

Usage: check_style.py [ROOT]     exit status 0: all fine, 1: at least one complaint
"""

import os
import pathlib
import re
import sys

LICENCE = "SPDX-License-Identifier: Apache-2.0"

# Not written by hand, or not a source.
SKIPPED_FOLDERS = {".git", "build", "dist", "node_modules", "seeds", "__pycache__"}

CPP = {".h", ".cc"}
SCRIPTS = {".py", ".mjs", ".ts", ".cmake", ""}  # "": a shell script or CMakeLists.txt

# Whoever shortens a line of C++ has the formatter's help; the others are wrapped by hand alone.
CPP_LINE_MAX = 100
SCRIPT_LINE_MAX = 120

HEADER_MAX = 300
CPP_MAX = 400
FILE_MAX = 600  # a file beyond it holds two ideas

# Files that are one table, whose length is the number of its rows.
TABLES = {"hub/base/settings_table.cc"}

NAME = re.compile(r"^[a-z0-9_]+(\.[a-z0-9_]+)?$")
OPEN_WORK = re.compile(r"\b(TODO|FIXME|XXX)\b")
TEST = re.compile(r"^\s*(?:TYPED_)?TEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\s*[,)]", re.MULTILINE)
SUITE = re.compile(r"^[A-Z][A-Za-z0-9]*$")
INCLUDE = re.compile(r'^#include ["<](.*)[">]', re.MULTILINE)
SENTENCE = re.compile(r"^[a-z0-9]+(_[a-zA-Z0-9]+)+$")


def is_test(name):
    return re.search(r"_(test|fuzz|bench|testing)\.(cc|h)$", name) is not None


def lines_max(path):
    """Returns how many lines the file at `path` may have."""
    if path in TABLES or is_test(path) or not path.endswith((".h", ".cc")):
        return FILE_MAX
    return HEADER_MAX if path.endswith(".h") else CPP_MAX


def check_source(path, text):
    """Yields (line, complaint) for the source `text` at `path`; line 0 is the file as a whole."""
    lines = text.split("\n")
    is_cpp = path.endswith((".h", ".cc"))
    if LICENCE not in lines[1 if lines[0].startswith("#!") and len(lines) > 1 else 0]:
        yield 1, f"does not begin with {LICENCE}"
    name = pathlib.PurePosixPath(path).name
    if not NAME.match(name) and name != "CMakeLists.txt":
        yield 0, "the file's name is not in snake_case"
    if lines[-1] != "":
        yield len(lines), "no line end at the end"
    if len(lines) - 1 > lines_max(path):
        yield 0, f"has {len(lines) - 1} lines, of {lines_max(path)} at most"

    line_max = CPP_LINE_MAX if is_cpp else SCRIPT_LINE_MAX
    for number, line in enumerate(lines, start=1):
        if len(line) > line_max:
            yield number, f"has {len(line)} characters, of {line_max} at most"
        if line != line.rstrip():
            yield number, "white space at its end"
        if OPEN_WORK.search(line) and "check_style" not in path:
            yield number, "open work belongs into an issue"
    for match in TEST.finditer(text):
        number = text.count("\n", 0, match.start()) + 1
        if not SUITE.match(match[1]):
            yield number, f"the suite's name is not in PascalCase: {match[1]}"
        if not SENTENCE.match(match[2]):
            yield number, f"the test's name is no sentence in snake_case: {match[2]}"


def check_own_header(header, text):
    """Yields a complaint if the source `text` does not include `header`, which is its own, before others."""
    first = INCLUDE.search(text)
    if first is None or first[1] != header:
        yield 0 if first is None else text.count("\n", 0, first.start()) + 1, f"does not include {header} first"


def is_source(path):
    """Returns whether the file at `path` is a source, by its name or its first line."""
    if path.suffix in CPP | SCRIPTS - {""} or path.name == "CMakeLists.txt":
        return True
    if path.suffix:
        return False
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def check_tree(root):
    """Returns one line "path:line: message" for each complaint below `root`."""
    complaints = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - SKIPPED_FOLDERS)
        for file in sorted(pathlib.Path(folder) / name for name in names):
            if not file.is_file() or not is_source(file):
                continue
            path = file.relative_to(root).as_posix()
            text = file.read_text(encoding="utf-8")
            found = list(check_source(path, text))
            header = file.with_suffix(".h")
            if file.suffix == ".cc" and header.exists():
                found += check_own_header(header.relative_to(root).as_posix(), text)
            complaints += [f"{path}:{line}: {what}" for line, what in found]
    return complaints


def main():
    here = pathlib.Path(__file__).resolve().parent
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here.parent
    complaints = check_tree(root)
    print("\n".join(complaints) if complaints else "style: all as it should be")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
