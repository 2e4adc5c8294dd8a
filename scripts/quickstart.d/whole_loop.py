# SPDX-License-Identifier: Apache-2.0
"""A volume of 1 GiB is made by REST, attached, written to without a pause, and extended to 2 GiB by REST; then
nobody's word is taken: the kernel, the file system and the checksums are asked. The control plane and the host are
wired as tests/cloud/cloud.py says; the programs are the real ones."""

import argparse
import hashlib
import os
import pathlib
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.cloud.cloud import PROJECT, Cloud, device_bytes, moment  # noqa: E402
from tests.cloud.process import Failed  # noqa: E402

GIB = 1 << 30
INSTANCE = "aaaaaaaa-0000-4000-8000-000000000001"
CAP_SYS_RESOURCE = 1 << 24


class Story:
    """Says each step before it is done, so that a failure stands below what failed."""

    def __init__(self):
        self.number = 0

    def step(self, name, what):
        self.number += 1
        print(f"\n{self.number:2}  {name:<9} {what}", flush=True)

    @staticmethod
    def tell(text):
        for line in str(text).splitlines():
            print(f"              {line}", flush=True)


def run(*words):
    """The output of a program that must succeed."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{words[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


class Disk:
    """The file system on the volume, and a thread that writes to it: each block is on the device before the next,
    and its checksum is kept outside the volume."""

    def __init__(self, device, mount_point):
        self.device, self.mount_point = device, mount_point
        self.checksums = {}
        self._stop = threading.Event()
        self._writer = threading.Thread(target=self._write_on)
        self._failure = None
        mount_point.mkdir()
        run("mkfs.ext4", "-q", device)
        run("mount", device, mount_point)
        self._writer.start()

    def _write_on(self):
        try:
            while not self._stop.is_set():
                self.write(f"block-{len(self.checksums)}", 64 << 10)
        except OSError as failure:
            self._failure = failure

    def write(self, name, size, chunk=1 << 20):
        """Random bytes, on the device when this returns."""
        checksum = hashlib.sha256()
        with (self.mount_point / name).open("wb") as file:
            for begin in range(0, size, chunk):
                data = os.urandom(min(chunk, size - begin))
                checksum.update(data)
                file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self.checksums[name] = checksum.hexdigest()

    def stop_writing(self):
        self._stop.set()
        if self._writer.is_alive():
            self._writer.join()
        if self._failure:
            raise Failed(f"writing to the volume: {self._failure}")

    def grow(self, story):
        """ext4 grows a mounted file system only for who has CAP_SYS_RESOURCE (fs/ext4/ioctl.c), which many
        containers take away."""
        if effective_capabilities() & CAP_SYS_RESOURCE:
            run("resize2fs", self.device)
            self.stop_writing()
            return
        story.tell("(unmounted for it: this machine has no CAP_SYS_RESOURCE, so ext4 cannot grow while mounted)")
        self.stop_writing()
        run("umount", self.mount_point)
        run("e2fsck", "-fp", self.device)
        run("resize2fs", self.device)
        run("mount", self.device, self.mount_point)

    def read_back(self):
        """From the device, not from memory. How many checksums were right: all, or it fails."""
        run("umount", self.mount_point)
        run("e2fsck", "-fn", self.device)
        run("blockdev", "--flushbufs", self.device)
        run("mount", "--read-only", self.device, self.mount_point)
        for name, wanted in self.checksums.items():
            with (self.mount_point / name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != wanted:
                    raise Failed(f"{name} is not what was written")
        run("umount", self.mount_point)
        return len(self.checksums)


def effective_capabilities():
    for line in pathlib.Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0


class Quickstart:
    def __init__(self, programs, directory, trace):
        self.story = Story()
        self.directory = directory
        self.cloud = Cloud(directory / "cloud", programs)
        self.host = self.cloud.hosts["node1"]
        if trace:
            self.host.agent.command[:0] = ["strace", "-D", "-f", "-e", "trace=execve,execveat", "-o", trace]

    def play(self):
        self.start()
        volume = self.make_volume()
        disk, device = self.attach(volume)
        try:
            blocks = len(disk.checksums)
            result = self.extend(volume)
            self.show(result)
            self.explain(volume, device)
            self.use_new_space(disk, blocks)
        finally:
            disk.stop_writing()
        self.check_data(disk)
        self.end()

    def start(self):
        self.story.step("control", "volgrow-control, as its own user, and volgrow-backend, its privileged hands")
        self.cloud.backend.start()
        self.cloud.control.start()
        self.story.tell(f"the API of Cinder at {self.cloud.url}/v3; the back end \"fast\" keeps volumes in files")
        self.story.step("host", "a hypervisor: volgrowd, volgrow-relay, and a private D-Bus daemon for the system bus")
        self.host.start()
        self.story.tell(f"version {self.host.volgrow('--version').stdout.split()[-1]}; "
                        f"volgrowd is process {self.host.agent.running.pid}")

    def make_volume(self):
        self.story.step("create", f"POST /v3/{PROJECT}/volumes: 1 GiB")
        volume = self.cloud.create(1, name="quickstart")
        self.story.tell(f"volume {volume} is available")
        return volume

    def attach(self, volume):
        self.story.step("attach", "through the attachments API, as Nova does; volgrowd pins the volume's identity")
        device = self.cloud.attach(volume, "node1", INSTANCE)
        disk = Disk(device, self.directory / "mnt")
        self.story.tell(f"{device} has a mounted file system; from now on it is written to without a pause")
        return disk, device

    def extend(self, volume):
        """The extension as it is when the attachment is confirmed, and when each hop was."""
        self.story.step("extend", "POST …/action {\"os-extend\": {\"new_size\": 2}}: all the rest happens by itself")
        asked = time.time()
        status, body = self.cloud.extend(volume, 2)
        accepted = time.time()
        if status != 202:
            raise Failed(f"os-extend: {status} {body}")
        extension = self.cloud.wait_for_hosts(volume, "confirmed")
        attachment = extension["attachments"][0]
        report = attachment["report"]
        began = moment(report["started_at"])
        hops = {"202 answered": accepted, "volgrowd begins": began,
                "it has measured": began + report["duration_us"] / 1e6, "confirmed": moment(attachment["since"])}
        self.story.tell(f"volume {extension['status']}, {extension['size']} GiB; attachment {attachment['state']}")
        self.story.tell("   ".join(f"{name} {1e3 * (when - asked):.0f} ms" for name, when in hops.items()))
        return extension

    def show(self, extension):
        self.story.step("result", "GET /volgrow/v1/volumes/{id}/extension: what the host measured, layer by layer")
        report = extension["attachments"][0]["report"]
        self.story.tell(f"{report['previous_bytes']} -> {report['size_bytes']} bytes on {report['device']}, "
                        f"identity {report['identity']}")
        for layer in report["layers"]:
            self.story.tell(f"  {layer['kind']:<6} {layer['action']:<10} {layer.get('duration_us', 0) / 1000:8.2f} ms  "
                            f"{layer.get('before_bytes', '?')} -> {layer.get('after_bytes', '?')}  {layer['device']}")
        expect("the result", (report["previous_bytes"], report["size_bytes"]), (GIB, 2 * GIB))

    def explain(self, volume, device):
        self.story.step("kernel", "BLKGETSIZE64, asked by blockdev, agrees; and volgrow explain on the host")
        expect(f"bytes of {device}", device_bytes(device), 2 * GIB)
        self.story.tell(f"kernel {device_bytes(device)}")
        said = self.host.volgrow("--no-color", "explain", f"id:{volume}", check=False)
        self.story.tell(said.stdout + said.stderr)
        expect("the exit status of volgrow explain", said.returncode, 0)

    def use_new_space(self, disk, blocks):
        self.story.step("use", "the file system takes the new space, and a file larger than the old volume fits")
        disk.grow(self.story)
        since = len(disk.checksums) - blocks
        disk.write("larger-than-before", GIB + (16 << 20))
        room = run("df", "--output=size,used", "--block-size=M", disk.mount_point).splitlines()[-1].split()
        self.story.tell(f"file system {room[0]}, used {room[1]}; {len(disk.checksums)} files written, "
                        f"{since} of them since the extend was asked for")

    def check_data(self, disk):
        self.story.step("data", "everything written is intact: read back from the device after unmounting and fsck")
        self.story.tell(f"{disk.read_back()} checksums right")

    def end(self):
        for process in (self.host.relay, self.host.agent, self.cloud.control, self.cloud.backend):
            if not process.stop():
                raise Failed(f"{process.name} did not end cleanly")
        self.cloud.stop()


def expect(what, seen, wanted):
    if seen != wanted:
        raise Failed(f"{what}: {seen}, not {wanted}")


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("programs", type=pathlib.Path, help="where the programs were built")
    words.add_argument("directory", type=pathlib.Path, help="where everything is put, and who calls cleans up")
    words.add_argument("--strace", help="a file for every program that volgrowd starts")
    options = words.parse_args()
    (options.directory / "cloud").mkdir()
    begun = time.monotonic()
    quickstart = Quickstart(options.programs, options.directory, options.strace)
    try:
        quickstart.play()
    except Failed as failure:
        print(f"\nquickstart: FAILED: {failure}", file=sys.stderr)
        for process in quickstart.cloud.processes():
            if process.words():
                print(f"\n{process.name} said:\n{process.words()[-3000:]}", file=sys.stderr)
        sys.exit(1)
    finally:
        quickstart.cloud.stop()
    print(f"\nquickstart: ok: {GIB} -> {2 * GIB} bytes, proven, and not a byte lost ({time.monotonic() - begun:.0f} s)")


if __name__ == "__main__":
    main()
