# SPDX-License-Identifier: Apache-2.0
"""What a source file looks like from outside: its licence, its opening sentence, its names."""

import re

from tables import FORBIDDEN_WORDS, KEPT_NAMES
from tree import line_of

_SPDX = "SPDX-License-Identifier: Apache-2.0"
# Assembled, so that this file does not contain what it looks for.
_DEVELOPER_PATH = re.compile(r"(?<![\w.~*/-])/(?:" + "|".join(("home", "root", "Users", "work")) + r")/[\w.]")
_CONFLICT = re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE)
_TYPE = re.compile(r"\b(?:class|struct|union|enum(?:\s+class)?|concept)\s+(?:\[\[.*?\]\]\s*)?([A-Za-z_]\w*)"
                   r"|\busing\s+([A-Za-z_]\w*)\s*=")
# A fixture is the beginning of a sentence about somebody's thing: AnEmptyQueue, TheJobRunner.
_FIXTURE = re.compile(r"(An?|The)[A-Z]")
_BINARY = {".png", ".bin", ".db", ".gz", ".zst", ".img"}


def licence_and_purpose(tree):
    """C++: an SPDX line, then a comment. Programs: the same after #!. Python: then a docstring."""
    findings = []
    for file in sorted({*tree.cpp, *tree.named("*.py", "*.sh"), *tree.scripts}):
        lines = tree.text(file).splitlines()
        opening = lines[1:] if lines and lines[0].startswith("#!") else lines
        if not opening or _SPDX not in opening[0]:
            findings.append(f"{file}: does not open with {_SPDX}")
        elif len(opening) < 2 or not _opens_with_sentence(file, opening[1]):
            findings.append(f"{file}: does not say in a comment below its SPDX line what it is")
    return findings


def _opens_with_sentence(file, line):
    mark = "//" if file.suffix in (".h", ".cpp") else '(#|r?""")'
    return re.match(mark + r"\s*\S", line)


def no_developer_paths(tree):
    """Nothing in the tree depends on where somebody's checkout or home is."""
    findings = []
    for file in tree.files:
        if file.suffix in _BINARY or file.parts[0] == "tests" and "corpus" in file.parts:
            continue
        text = tree.text(file)
        for match in _DEVELOPER_PATH.finditer(text):
            line = line_of(text, match.start())
            findings.append(f"{file}:{line}: a path of one machine: {match.group()}…")
    return findings


def merged(tree):
    """No merge was left in the middle."""
    return [f"{file}:{line_of(tree.text(file), match.start())}: a conflict that nobody solved"
            for file in tree.files if file.suffix not in _BINARY and "corpus" not in file.parts
            for match in _CONFLICT.finditer(tree.text(file))]


def words_of(name):
    """ConnectionInfo and connection_info -> connection, info."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def names(tree):
    """No type and no file is a Manager, Helper, Util …: a name says what the thing is."""
    findings = []
    for file in tree.cpp:
        if _is_forbidden(file.stem):
            findings.append(f"{file}: a file is named after what it holds, not '{file.stem}'")
        code = tree.code(file)
        for match in _TYPE.finditer(code):
            name = match.group(1) or match.group(2)
            if _is_forbidden(name) and not (file.parts[0] == "tests" and _FIXTURE.match(name)):
                findings.append(f"{file}:{line_of(code, match.start())}: type named {name}")
    return findings


def _is_forbidden(name):
    for kept in KEPT_NAMES:
        name = name.replace(kept, "")
    return bool(FORBIDDEN_WORDS.intersection(words_of(name)))
