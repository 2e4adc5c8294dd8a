# SPDX-License-Identifier: Apache-2.0
"""What includes what: the product's own folders, other people's headers, and headers on their own."""

import fnmatch
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

from checks.outcome import require_program
from tables import (FOLDERS, GENERATED_HEADERS, PRODUCT, PURE_FOLDERS, PURE_SYSTEM_HEADER,
                    SYSTEM_HEADER, THIRD_PARTY)
from tree import line_of

# What CMake defines for every target (cmake/Settings.cmake) and for tests (tests/CMakeLists.txt).
_DEFINITIONS = ['-DVOLGROW_VERSION="0"', '-DVOLGROW_SOURCE_DIR="/"', '-DVOLGROW_BIN_DIR="/"']
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def _includes(tree, file, bracket):
    text = tree.text(file)
    for match in _INCLUDE.finditer(text):
        if match.group(1) == bracket:
            yield line_of(text, match.start()), match.group(2)


def include_graph(tree):
    """A folder includes only what its line in FOLDERS allows, by its path from the root."""
    return [finding for file in tree.cpp for finding in _graph_findings(tree, file)]


def _graph_findings(tree, file):
    folder = file.parts[0]
    if folder not in FOLDERS:
        yield f"{file}: folder {folder}/ is not in tests/architecture/tables.py (FOLDERS)"
        return
    for line, header in _includes(tree, file, '"'):
        if re.fullmatch(GENERATED_HEADERS, header):
            continue  # third_party_headers has its place
        if not header.startswith(FOLDERS[folder]):
            yield f"{file}:{line}: {folder}/ may not include {header}"
        elif not (tree.root / header).is_file():
            yield f"{file}:{line}: {header} does not exist"


def third_party_headers(tree):
    """A library's headers appear only where THIRD_PARTY says; stack/ names no system header."""
    return [finding for file in tree.cpp
            for line, header in _foreign(tree, file)
            for finding in _header_findings(file, line, header)]


def _foreign(tree, file):
    yield from _includes(tree, file, "<")
    yield from (found for found in _includes(tree, file, '"')
                if re.fullmatch(GENERATED_HEADERS, found[1]))


def _header_findings(file, line, header):
    if re.fullmatch(r"[a-z_]+", header):  # the standard library
        return
    for pattern, places in THIRD_PARTY.items():
        if re.match(pattern, header):
            if file.parts[0] != "tests" and not _is_one_of(file, places):
                where = " ".join(places) or "tests/"
                yield f"{file}:{line}: <{header}> may be named only in {where}"
            return
    if not re.fullmatch(SYSTEM_HEADER, header):
        yield f"{file}:{line}: <{header}> is not in tests/architecture/tables.py (THIRD_PARTY)"
    elif file.parts[0] in PURE_FOLDERS and not re.fullmatch(PURE_SYSTEM_HEADER, header):
        yield f"{file}:{line}: {file.parts[0]}/ is pure and names no system header: <{header}>"


def _is_one_of(file, places):
    return any(fnmatch.fnmatch(str(file), place) for place in places)


def headers_alone(tree):
    """Every header compiles with nothing before it, and twice."""
    compiler = require_program(os.environ.get("CXX", "g++"))
    headers = [f for f in tree.cpp if f.suffix == ".h" and f.parts[0] in (*PRODUCT, "tests")]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda header: _compile(tree, compiler, header), headers)
    return [finding for finding in results if finding]


def _compile(tree, compiler, header):
    command = [compiler, "-std=c++23", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
               *_DEFINITIONS, "-I", str(tree.root), "-x", "c++", "-"]
    source = f'#include "{header}"\n#include "{header}"\n'
    done = subprocess.run(command, input=source, capture_output=True, text=True)
    if done.returncode == 0:
        return None
    first = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr)
    return f"{header}: does not compile alone: {first}"
