# SPDX-License-Identifier: Apache-2.0
"""One process of ours: started until it says that it is ready, ended by number, its words kept."""

import os
import pathlib
import signal
import socket
import subprocess
import time

READY_LIMIT_S = 30.0
END_LIMIT_S = 10.0


class Failed(Exception):
    """What should have happened did not; the text says what was seen instead."""


def wait_until(condition, limit_s, what):
    """Returns the first true answer of `condition`, asked again and again until the limit."""
    end = time.monotonic() + limit_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Failed(f"not within {limit_s:g} s: {what}")
        time.sleep(0.01)


def free_port():
    """A port of the loopback interface that nobody had a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A program that tells systemd's protocol when it is ready (sd_notify(3))."""

    def __init__(self, name, command, directory, user=None, environment=None):
        self.name = name
        self.command = [str(word) for word in command]
        self.directory = pathlib.Path(directory)
        self.log = self.directory / f"{name}.log"
        self.user = user
        self.environment = environment or {}
        self.running = None

    def start(self):
        """Starts it and waits until it is ready."""
        path = self.directory / f"{self.name}.notify"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(path))
            os.chmod(path, 0o666)
            ready.settimeout(0.1)
            self._spawn({"NOTIFY_SOCKET": str(path)})
            wait_until(lambda: self._is_ready(ready), READY_LIMIT_S, f"{self.name} is ready")
        return self

    def _spawn(self, extra):
        with open(self.log, "ab") as log:
            self.running = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=self.user,
                group=self.user, extra_groups=[] if self.user else None,
                env={**os.environ, **self.environment, **extra})

    def _is_ready(self, ready):
        if self.running.poll() is not None:
            raise Failed(f"{self.name} ended with {self.running.returncode}: {self.words()[-1000:]}")
        try:
            return b"READY=1" in ready.recv(4096)
        except TimeoutError:
            return False

    def words(self):
        """Everything it said so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def signal(self, number):
        self.running.send_signal(number)

    def kill(self):
        """kill -9, and wait until it is gone."""
        if self.running and self.running.poll() is None:
            self.running.kill()
        if self.running:
            self.running.wait(END_LIMIT_S)

    def stop(self):
        """Asks it to end. Whether it did so cleanly."""
        if not self.running or self.running.poll() is not None:
            return False
        self.signal(signal.SIGTERM)
        try:
            return self.running.wait(END_LIMIT_S) == 0
        except subprocess.TimeoutExpired:
            self.kill()
            return False
