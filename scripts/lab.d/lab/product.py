# SPDX-License-Identifier: Apache-2.0
"""This tree's programs, as a package would install them, in two parts: what changes with every build, and
what is set up once, because accounts and the bus must know of it: it is part of saved states."""

import os
import subprocess
import tempfile
from pathlib import Path

from lab.machine import Broken

ROOT = Path(__file__).resolve().parents[3]
PROGRAMS = ("volgrowd", "volgrow")
COMPONENTS = ("accounts", "host")
SET_UP_ONCE = ("etc/", "usr/lib/", "usr/share/dbus-1/")


class Product:
    """Built when it is missing or old, which ninja knows; or taken as it was built last."""

    def __init__(self, preset, as_built=False):
        if not as_built:
            build(preset)
        self.programs = [ROOT / "build" / preset / "bin" / name for name in PROGRAMS]
        files = installed(ROOT / "build" / preset)
        self.settings = [file for file in files if file[0].startswith(SET_UP_ONCE)]
        self.parts = [file for file in files if not file[0].startswith(SET_UP_ONCE)]


def build(preset):
    done = subprocess.run([ROOT / "scripts/build", preset, *PROGRAMS], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Broken(f"the programs do not build:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")


def installed(build_folder):
    """(path below /, mode, content) of each file that a compute host's packages would hold."""
    with tempfile.TemporaryDirectory() as top:
        for component in COMPONENTS:
            done = subprocess.run(["cmake", "--install", build_folder, "--component", component, "--prefix", "/usr", "--strip"],
                                  env=os.environ | {"DESTDIR": top}, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise Broken(f"the programs cannot be installed:\n{done.stdout}{done.stderr}")
        return [(str(path.relative_to(top)), path.stat().st_mode & 0o777, path.read_bytes())
                for path in sorted(Path(top).rglob("*")) if path.is_file()]
