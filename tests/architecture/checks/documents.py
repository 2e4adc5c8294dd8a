# SPDX-License-Identifier: Apache-2.0
"""Files that are not C++ are at least well formed: JSON, TOML, XML, man pages, shell, links."""

import json
import re
import subprocess
import tomllib
from xml.etree import ElementTree

from checks.outcome import CannotRun, require_program

_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def _is_sample(file):
    """Recorded hosts and fuzz corpora hold what they hold, broken text included."""
    return "corpus" in file.parts or "captures" in file.parts


def _parse_all(tree, patterns, parse):
    findings = []
    for file in tree.named(*patterns):
        if _is_sample(file):
            continue
        try:
            parse(tree.text(file))
        except (ValueError, ElementTree.ParseError) as error:
            findings.append(f"{file}: {error}")
    return findings


def json_and_toml(tree):
    return (_parse_all(tree, ["*.json"], json.loads) +
            _parse_all(tree, ["*.toml", "*.toml.example"], tomllib.loads))


def xml(tree):
    """D-Bus interfaces, bus policy, polkit actions."""
    # The declared DTDs are on the network; ElementTree does not fetch them.
    return _parse_all(tree, ["*.xml", "*.policy", "org.volgrow.*.conf"], ElementTree.fromstring)


def man_pages(tree):
    require_program("mandoc")
    pages = [f for f in tree.files if re.fullmatch(r"\.[1-8]", f.suffix) and f.parts[0] == "docs"]
    if not pages:
        raise CannotRun("there is no man page in docs/ yet")
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *map(str, pages)],
                          cwd=tree.root, capture_output=True, text=True)
    return [] if done.returncode == 0 else (done.stdout + done.stderr).splitlines()


def shell_scripts(tree):
    require_program("shellcheck")
    scripts = tree.shell_scripts
    if not scripts:
        return []
    done = subprocess.run(["shellcheck", "--external-sources", "--format=gcc", *map(str, scripts)],
                          cwd=tree.root, capture_output=True, text=True)
    strict = [f"{f}: has no 'set -euo pipefail'" for f in scripts
              if f.suffix != ".sh" and "set -euo pipefail" not in tree.text(f)]
    return done.stdout.splitlines() + strict


def links(tree):
    """A link in a document leads to a file that exists."""
    return [f"{file}: links to {target}, which does not exist"
            for file in tree.named("*.md")
            for target in _LINK.findall(tree.text(file))
            if "://" not in target and not (tree.root / file.parent / target).exists()]
