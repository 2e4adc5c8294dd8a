# SPDX-License-Identifier: Apache-2.0
"""What a machine is given to do: a tar archive with a script, its files, and /lab/start, which runs it."""

import io
import os
import shlex
import tarfile
from pathlib import Path

LIBRARIES = sorted((Path(__file__).resolve().parents[3] / "tests/lab").glob("lib*.sh"))


def archive(start, files=(), installed=()):
    """start: shell commands, run in the directory of files; installed: (path below /, mode, content)."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path, mode, content in installed:
            add(tar, path, mode, content)
        for library in LIBRARIES:
            tar.add(library, f"lab/{library.name}")
        for file in files:
            tar.add(file, f"lab/job/{Path(file).name}")
        add(tar, "lab/start", 0o755, f"#!/bin/bash\nmkdir -p /lab/job\ncd /lab/job\n{start}\n".encode())
    return whole.getvalue()


def add(tar, path, mode, content):
    entry = tarfile.TarInfo(path)
    entry.mode, entry.size = mode, len(content)
    tar.addfile(entry, io.BytesIO(content))


def script_archive(script, arguments=(), files=(), installed=(), before=""):
    return archive(f"{before}\nexport LAB_LIB=/lab/lib.sh\n{starting(script, arguments)}", [script, *files], installed)


def starting(script, arguments):
    """A script that does not say what runs it, or that nobody may execute, is bash's."""
    runs_itself = os.access(script, os.X_OK) and script.read_bytes()[:4].startswith((b"#!", b"\x7fELF"))
    words = [f"./{script.name}"] if runs_itself else ["bash", f"./{script.name}"]
    return f"exec {shlex.join([*words, *arguments])}"
