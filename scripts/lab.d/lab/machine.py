# SPDX-License-Identifier: Apache-2.0
"""One virtual machine under QEMU: boots or is restored, runs jobs, is saved, and is ended by process id."""

import json
import os
import re
import secrets
import selectors
import socket
import subprocess
import sys
import threading
import time

MEMORY_MIB = 3072
PROCESSORS = 2
READY = re.compile(rb"LAB-READY ([\d.]+)\r?\n")


class Broken(Exception):
    """The machine itself did not do its part; no script failed."""


class Hung(Exception):
    """The job did not end in its time; the text says what everything waits in."""


class LockedUp(Hung):
    """Nor does any process of the machine answer: its kernel stands still. Emulated processors can wait for each
    other for ever; that says nothing of the job."""


class Line:
    """Our end of one of the machine's character devices."""

    def __init__(self):
        self.ours, self.theirs = socket.socketpair()
        self.received = bytearray()
        self.tap = None

    def receive(self):
        """Takes what is there; false when the machine is gone."""
        try:
            data = self.ours.recv(1 << 16)
        except ConnectionError:
            data = b""
        self.received += data
        if self.tap:
            self.tap(data)
        return bool(data)


class Monitor:
    """QEMU's own socket: commands and answers in JSON, events in between."""

    def __init__(self, line):
        self.stream = line.ours.makefile("rw", encoding="utf-8")
        self.stream.readline()
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        self.stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.stream.flush()
        while True:
            answer = json.loads(self.stream.readline() or '{"error": {"desc": "QEMU is gone"}}')
            if "error" in answer:
                raise Broken(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def await_migration(self, limit=60):
        end = time.monotonic() + limit
        while time.monotonic() < end:
            status = self.ask("query-migrate").get("status")
            if status == "completed":
                return
            if status in ("failed", "cancelled"):
                break
            time.sleep(0.01)
        raise Broken("the machine's state could not be moved to or from its file")


class Machine:
    """Use as `with Machine(image, accelerator) as machine`: it does not outlive the block, nor us."""

    running = set()
    guard = threading.Lock()

    def __init__(self, image, accelerator, *, systemd=False, memory=None, state=None, keep=False):
        """memory: a file with the RAM, which is only read unless it is to be kept up to date; state: a file
        with the devices, saved with it."""
        self.lines = {name: Line() for name in ("monitor", "serial", "job", "watch")}
        self.selector = selectors.DefaultSelector()
        for name in ("serial", "job", "watch"):
            self.selector.register(self.lines[name].ours, selectors.EVENT_READ, self.lines[name])
        self.console = self.lines["serial"].received
        self.accelerator, self.state = accelerator, state
        self.command = self._command(image, accelerator, systemd, memory, keep)
        self.process = self.monitor = None

    def _command(self, image, accelerator, systemd, memory, keep):
        boot = "console=ttyS0 quiet panic=-1 net.ifnames=0 mitigations=off" + (" lab.systemd systemd.unit=lab.target" if systemd else "")
        ram = f"memory-backend-ram,id=ram,size={MEMORY_MIB}M"
        if memory:
            sharing = "on" if keep else "off"
            ram = f"memory-backend-file,id=ram,size={MEMORY_MIB}M,mem-path={memory},share={sharing}"
        command = ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-accel", accelerator,
                   "-machine", "pc,memory-backend=ram", "-object", ram, "-m", f"{MEMORY_MIB}M",
                   "-cpu", "host" if accelerator == "kvm" else "max", "-smp", str(PROCESSORS),
                   "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                   "-kernel", f"{image}/kernel", "-initrd", f"{image}/initrd", "-append", boot,
                   "-drive", f"file={image}/root.erofs,readonly=on,format=raw,if=none,id=root",
                   "-device", "virtio-blk-pci,drive=root", "-device", "virtio-serial-pci",
                   "-mon", "chardev=monitor,mode=control", "-serial", "chardev:serial"]
        for name, line in self.lines.items():
            command += ["-chardev", f"socket,id={name},fd={line.theirs.fileno()}"]
        for name in ("job", "watch"):
            command += ["-device", f"virtserialport,chardev={name},name=lab.{name}"]
        return command + (["-incoming", "defer"] if self.state else [])

    def __enter__(self):
        with self.guard:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                pass_fds=[line.theirs.fileno() for line in self.lines.values()])
            self.running.add(self.process)
        for line in self.lines.values():
            line.theirs.close()
        try:
            self.monitor = Monitor(self.lines["monitor"])
            if self.state:
                self._restore()
        except (Broken, OSError, ValueError) as reason:
            self.__exit__()
            raise Broken(f"{reason}: {self.process.stderr.read().decode(errors='replace')}") from reason
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        with self.guard:
            self.running.discard(self.process)
        for line in self.lines.values():
            line.ours.close()

    @classmethod
    def end_all(cls):
        with cls.guard:
            for process in cls.running:
                process.kill()
                process.wait()

    # RAM is a file mapped privately, so a restored machine reads only what it uses, and nobody writes to it.
    def _restore(self):
        self._leave_memory_where_it_is()
        self.monitor.ask("migrate-incoming", uri=f"exec:cat {self.state}")
        self.monitor.await_migration()

    def save(self, state):
        self._leave_memory_where_it_is()
        self.monitor.ask("migrate", uri=f"exec:cat > {state}")
        self.monitor.await_migration()

    def _leave_memory_where_it_is(self):
        self.monitor.ask("migrate-set-capabilities",
                         capabilities=[{"capability": "x-ignore-shared", "state": True}])

    def _pump(self, limit):
        """Takes what the machine sent, waiting at most this long; false when it is gone."""
        return all(key.data.receive() for key, _ in self.selector.select(min(max(limit, 0), 60)))

    def _await(self, found, limit):
        """Pumps until found() is true: its value, or None after limit seconds."""
        end = time.monotonic() + limit
        while not (value := found()):
            if time.monotonic() >= end:
                return None
            if not self._pump(end - time.monotonic()):
                raise Broken(f"the machine is gone; its console said:\n{self.console_text()}")
        return value

    def console_text(self, lines=60):
        return "\n".join(self.console.decode(errors="replace").replace("\r", "").splitlines()[-lines:])

    def await_boot(self, limit=300):
        """Seconds since the kernel began, as the machine says."""
        job = self.lines["job"].received
        ready = self._await(lambda: READY.search(job), limit)
        if not ready:
            raise Broken(f"not up after {limit} s; its console said:\n{self.console_text()}")
        seconds = float(ready[1])  # a match looks at what it was found in: first read, then delete
        del job[:ready.end()]
        return seconds

    def run(self, archive, sink, limit):
        """Runs a job (a tar archive with /lab/start), hands its output to sink, returns its status."""
        # No text begins with this byte, so what may become the mark is told from output at once.
        mark = b"\x1e" + secrets.token_hex(16).encode()
        header = b"JOB %s %d %d\n" % (mark, time.time(), len(archive))
        self._send_meanwhile("job", header + archive)
        ending = re.compile(mark + rb" (\d+)\n")
        received = self.lines["job"].received
        done = self._await(lambda: ending.search(received) or self._hand_over(mark, sink), limit)
        if not done:
            raise self.hung()
        status, start, end = int(done[1]), done.start(), done.end()
        self._give(sink, start)
        del received[:end - start]
        return status

    def _send_meanwhile(self, name, data):
        """The machine answers while it is still being told, so one thread cannot do both."""
        def send():
            try:
                self.lines[name].ours.sendall(data)
            except OSError:
                pass  # it is gone, which whoever listens notices
        threading.Thread(target=send, daemon=True).start()

    def _hand_over(self, mark, sink):
        """Passes on what cannot be the beginning of the ending. Never true: it ends nothing."""
        received = self.lines["job"].received
        position = received.rfind(mark[:1], max(0, len(received) - len(mark) - 5))
        self._give(sink, len(received) if position < 0 else position)

    def _give(self, sink, length):
        received = self.lines["job"].received
        if length:
            sink(bytes(received[:length]))
            del received[:length]

    def hung(self):
        """What the kernel says of blocked tasks (SysRq w, by a BREAK on the serial line, which needs no
        process), and what a process that was there from the start says of the others."""
        heard = len(self.console)
        for key in (b"7", b"w"):  # 7: all of it to the console
            self.monitor.ask("chardev-send-break", id="serial")
            self.lines["serial"].ours.sendall(key)
            self._await(lambda: False, 1)
        mark = secrets.token_hex(8).encode()
        self._send_meanwhile("watch", mark + b"\n")
        answer = self.lines["watch"].received
        if self._await(lambda: mark in answer, 30):
            return Hung(answer[:answer.index(mark)].decode(errors="replace"))
        console = bytes(self.console[heard:])
        said = answer + b"\nNo process of the machine answers; its console said:\n" + console
        return LockedUp(said.decode(errors="replace"))

    def interact(self, archive):
        """Runs a job that talks on the serial line; the terminal, or standard input, is put through to it."""
        self.lines["serial"].tap = lambda data: (sys.stdout.buffer.write(data), sys.stdout.buffer.flush())
        def put_through():
            while data := os.read(0, 1 << 12):
                self.lines["serial"].ours.sendall(data)
            self.lines["serial"].ours.sendall(b"\nexit\n")
        threading.Thread(target=put_through, daemon=True).start()
        return self.run(archive, lambda _: None, threading.TIMEOUT_MAX)
