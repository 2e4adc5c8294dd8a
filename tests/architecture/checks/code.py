# SPDX-License-Identifier: Apache-2.0
"""What C++ code must not do: start programs, sleep, own by hand. Found in text, so a call through a
pointer escapes; the run under strace (scripts/test whole) catches what this cannot."""

import re

from tables import CLOSERS, FORKERS
from tree import line_of

_EXECUTES = re.compile(r"(?<![\w.>])(?:::|std::)?(execv?p?e?|execl[pe]?|execveat|fexecve|system|popen|"
                       r"posix_spawnp?|wordexp)\s*\(")
_FORKS = re.compile(r"(?<![\w.>])(?:::)?(fork|vfork|_Fork|clone3?|SYS_clone3?)\b\s*[(,]")
_SLEEPS = re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep|clock_nanosleep)\s*\("
                     r"|(?<![\w.>])(?:::)?sleep\s*\(")
_OWNS_BY_HAND = {
    # unique_ptr(new T) is how a factory calls T's private constructor.
    "raw new": re.compile(r"^(?!.*unique_ptr<.*\(new ).*\bnew\b\s*[\w:(]", re.M),
    "raw delete": re.compile(r"(?<!=)(?<!= )(?<!operator )\bdelete\b\s*(\[\])?\s*[\w(*]"),
    "std::thread (std::jthread joins)": re.compile(r"\bstd::thread\b"),
    # free() is right in one place: a deleter of what C allocated.
    "malloc and free": re.compile(r"^(?!.*operator\(\)).*(?<![\w.>])(malloc|calloc|realloc|free)\s*\(", re.M),
}
_CLOSES = re.compile(r"(?:(?<!\w)::|(?:^|[;{}=(!])[ \t]*)close\s*\(", re.M)


def _matches(tree, file, pattern):
    code = tree.code(file)
    for match in pattern.finditer(code):
        yield line_of(code, match.end()), match.group().strip(" \n\t;{}=!")


def no_programs(tree):
    """What has privilege starts no program: no exec anywhere, a fork only where workers are made."""
    findings = []
    for file in tree.product_cpp:
        for line, call in _matches(tree, file, _EXECUTES):
            findings.append(f"{file}:{line}: starts a program: {call}")
        if str(file) not in FORKERS:
            for line, call in _matches(tree, file, _FORKS):
                findings.append(f"{file}:{line}: forks outside {' '.join(FORKERS)}: {call}")
    return findings


def no_sleeps(tree):
    """Product and tests wait for a condition, an event or a deadline, never for luck. Benchmarks may
    let time pass: it is what they measure."""
    return [f"{file}:{line}: sleeps: {call}" for file in tree.cpp if file.parts[:2] != ("tests", "bench")
            for line, call in _matches(tree, file, _SLEEPS)]


def owners(tree):
    """Memory, threads and descriptors belong to owner types."""
    findings = []
    for file in tree.product_cpp:
        for what, pattern in _OWNS_BY_HAND.items():
            for line, call in _matches(tree, file, pattern):
                findings.append(f"{file}:{line}: {what}: {call}")
        if str(file) not in CLOSERS:
            for line, _ in _matches(tree, file, _CLOSES):
                findings.append(f"{file}:{line}: close() by hand; Fd owns descriptors")
    return findings
