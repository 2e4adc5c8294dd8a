# SPDX-License-Identifier: Apache-2.0
"""The source tree as the checks see it: files by kind, and C++ text without comments and strings.

It knows no rule. A check takes a Tree and returns its findings as sentences.
"""

import fnmatch
import re
from functools import cached_property
from pathlib import Path

from tables import PRODUCT

SKIPPED_FOLDERS = {"build", ".git", ".cache", "__pycache__"}

_NOT_CODE = re.compile(
    r"""//[^\n]*|/\*.*?\*/
      |R"(?P<fence>[^(\s"]*)\(.*?\)(?P=fence)"
      |"(?:\\.|[^"\\\n])*"
      |(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'""",
    re.S | re.X)


def code_of(text):
    """C++ without comments and with empty literals; every character keeps its line."""
    def blank(match):
        lines = "\n" * match.group().count("\n")
        return lines if match.group().startswith("/") else '""' + lines
    return _NOT_CODE.sub(blank, text)


class Tree:
    def __init__(self, root):
        self.root = Path(root).resolve()

    @cached_property
    def files(self):
        """Every file of the tree as a path relative to its root, sorted."""
        return sorted(path.relative_to(self.root) for path in self._walk(self.root))

    def _walk(self, folder):
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                if path.name not in SKIPPED_FOLDERS:
                    yield from self._walk(path)
            elif path.is_file():
                yield path

    def named(self, *patterns):
        return [f for f in self.files if any(fnmatch.fnmatch(f.name, p) for p in patterns)]

    @property
    def cpp(self):
        return self.named("*.h", "*.cpp")

    @property
    def product_cpp(self):
        return [f for f in self.cpp if f.parts[0] in PRODUCT]

    @property
    def scripts(self):
        """Programs by their first line, whatever they are called."""
        return [f for f in self.files if self.head(f).startswith("#!")]

    @property
    def shell_scripts(self):
        return [f for f in self.files
                if f.suffix == ".sh" or re.match(r"#!.*\b(ba|da)?sh\b", self.head(f))]

    def head(self, file):
        with open(self.root / file, "rb") as stream:
            return stream.readline(200).decode("utf-8", "replace")

    def text(self, file):
        return (self.root / file).read_text("utf-8", "replace")

    def code(self, file):
        return code_of(self.text(file))


def line_of(text, position):
    return text.count("\n", 0, position) + 1
