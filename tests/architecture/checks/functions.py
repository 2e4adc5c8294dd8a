# SPDX-License-Identifier: Apache-2.0
"""A function fits in the eye: lengths by universal-ctags, lambdas by matching their braces."""

import json
import re
import subprocess

from checks.outcome import require_program
from tables import LONGEST_FUNCTION, LONGEST_LAMBDA
from tree import line_of

_LAMBDA = re.compile(r"(?<![\w\])])\[[^\[\]]*\]\s*(?:<[^<>]*>\s*)?(?:\((?:[^()]|\([^()]*\))*\)\s*)?"
                     r"(?:mutable\s*|noexcept\s*|constexpr\s*)*(?:->\s*[\w:<>,&*\s]+?)?\s*\{")


def lengths(tree, files):
    """(lines, file, first line, name) of every function, longest first."""
    require_program("ctags")
    if not files:
        return []
    command = ["ctags", "--languages=C++", "--langmap=C++:.h.cpp", "--kinds-C++=f",
               "--fields=+ne", "--output-format=json", "-f", "-", "-L", "-"]
    listing = subprocess.run(command, input="\n".join(map(str, files)), cwd=tree.root,
                             capture_output=True, text=True, check=True).stdout
    return sorted((_length(json.loads(tag)) for tag in listing.splitlines()), reverse=True)


def _length(tag):
    name = re.sub(r"__anon\w+::", "", f"{tag['scope']}::{tag['name']}" if "scope" in tag else tag["name"])
    return tag.get("end", tag["line"]) - tag["line"] + 1, tag["path"], tag["line"], name


def function_length(tree):
    return [f"{path}:{line}: {name} has {lines} lines, more than {LONGEST_FUNCTION}"
            for lines, path, line, name in lengths(tree, tree.cpp) if lines > LONGEST_FUNCTION]


def lambda_length(tree):
    findings = []
    for file in tree.product_cpp:
        code = tree.code(file)
        for match in _LAMBDA.finditer(code):
            end = _matching_brace(code, match.end() - 1)
            lines = code.count("\n", match.start(), end) + 1
            if lines > LONGEST_LAMBDA:
                line = line_of(code, match.start())
                findings.append(f"{file}:{line}: a lambda of {lines} lines, more than {LONGEST_LAMBDA}")
    return findings


def _matching_brace(code, opening):
    depth = 0
    for position in range(opening, len(code)):
        depth += {"{": 1, "}": -1}.get(code[position], 0)
        if depth == 0:
            return position
    return len(code)
