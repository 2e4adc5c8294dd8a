# SPDX-License-Identifier: Apache-2.0
"""OpenStack's own clients, Debian's, with what they print in lines that do not depend on the width of ids."""

import os
import re
import shutil
import subprocess

from openstack.people import PROJECT
from openstack.process import Broken, CannotRun

# cinder puts no project into URLs with noauth; openstack looks for an image service with noauth before it
# creates a volume, and does not find one: with admin_token it asks for none.
AUTHENTICATION = {
    "cinder": ["--os-auth-type", "noauth", "--os-endpoint", "{address}/v3", "--os-user-id", "admin",
               "--os-project-id", PROJECT],
    "openstack": ["--os-auth-type", "admin_token", "--os-endpoint", f"{{address}}/v3/{PROJECT}", "--os-token",
                  f"admin:{PROJECT}"],
}
PACKAGES = {"cinder": "python3-cinderclient", "openstack": "python3-openstackclient"}


def run_client(program, words, address):
    """exit; printed: its lines, of tables the cells; properties: of a table of two columns."""
    path = shutil.which(program, path="/usr/bin")
    if path is None:
        raise CannotRun(f"Debian's package {PACKAGES[program]} is not installed: scripts/setup installs it")
    command = [path, *(word.format(address=address) for word in AUTHENTICATION[program]), *words.split()]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    environment |= {"no_proxy": "*", "COLUMNS": "500", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired as late:
        raise Broken(f"after {late.timeout} s: not ended: {program} {words}") from None
    rows = [[cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else line.rstrip()
            for line in done.stdout.splitlines() if not re.fullmatch(r"[+-]*", line)]
    properties = {row[0]: row[1] for row in rows if isinstance(row, list) and len(row) == 2}
    return {"exit": done.returncode, "properties": properties, "printed": [*rows, *done.stderr.splitlines()]}
