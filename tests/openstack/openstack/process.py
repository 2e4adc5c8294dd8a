# SPDX-License-Identifier: Apache-2.0
"""Programs that run as long as a block does, and waiting for what they promise."""

import os
import socket
import string
import subprocess
import time
from pathlib import Path

PARTS = Path(__file__).resolve().parents[1] / "peers"
ROOT = PARTS.parents[2]


class Broken(Exception):
    """Something beside what is compared did not do its part."""


class CannotRun(Exception):
    """What is needed is not on this machine; the text says what, and how to get it."""


def await_(condition, limit, what):
    """The first true value of condition(), asked again and again for at most limit seconds."""
    end = time.monotonic() + limit
    while not (value := condition()):
        if time.monotonic() >= end:
            raise Broken(f"after {limit} s: not {what}")
        time.sleep(0.05)
    return value


def free_ports(number):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def is_listening(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def write_config(name, folder, **values):
    """peers/NAME with its $places filled in, as a file in folder."""
    file = folder / name
    file.write_text(string.Template((PARTS / name).read_text()).substitute(values, parts=PARTS))
    return file


class Program:
    """Use as `with Program(…) as program`. It does not outlive the block, nor us, even when we are killed."""

    def __init__(self, command, output, environment=None):
        self.command = ["setpriv", "--pdeathsig", "KILL", *map(str, command)]
        self.output, self.environment = Path(output), environment or {}
        self.process = None

    def __enter__(self):
        # Proxies of the machine are for the world outside; these services talk on loopback.
        environment = os.environ | {"no_proxy": "*", "NO_PROXY": "*"} | self.environment
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=subprocess.STDOUT, env=environment)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def await_(self, condition, limit, what):
        """As above; a program that has ended will not do it any more."""
        def still():
            if self.process.poll() is not None:
                raise Broken(f"{self.name} ended with status {self.process.returncode}:\n{self.last_words()}")
            return condition()
        try:
            return await_(still, limit, what)
        except Broken as reason:
            raise Broken(f"{self.name}: {reason}\n{self.last_words()}") from None

    @property
    def name(self):
        return next(Path(word).name for word in self.command[3:] if "python" not in word)

    def last_words(self, lines=30):
        return "\n".join(self.output.read_text(errors="replace").splitlines()[-lines:])
