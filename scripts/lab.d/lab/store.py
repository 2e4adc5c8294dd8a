# SPDX-License-Identifier: Apache-2.0
"""What the lab keeps in build/lab, each thing named by a hash of all it is made from: the image, and the
saved states of machines. What is there is used; what is not is made, once, whoever asks."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from lab.job import LIBRARIES, archive, script_archive
from lab.machine import MEMORY_MIB, PROCESSORS, Broken, Machine
from lab.product import ROOT

PARTS = ROOT / "scripts/lab.d"
TESTS = ROOT / "tests/lab"
STORE = ROOT / "build/lab"

# state -> the state it begins from, and the script that makes it of that; None: a boot
STATES = {"bare": None, "systemd": None,
          "targets": ("bare", TESTS / "setup.sh"),
          "many": ("targets", TESTS / "setup-many.sh"),
          "fc": ("bare", TESTS / "setup-fc.sh"),
          "nvme": ("bare", TESTS / "setup-nvme.sh"),
          "nvme-dm": ("bare", TESTS / "setup-nvme-dm.sh")}
TAKES_MINUTES = ("many",)  # made only when somebody asks for it


def tell(sentence):
    """Progress goes to standard error: standard output belongs to the script that is run."""
    print(f"lab: {sentence}", file=sys.stderr, flush=True)


def digest(*things):
    """Of strings, and of files with their names."""
    whole = hashlib.sha256()
    for thing in things:
        content = thing.read_bytes() if isinstance(thing, Path) else thing.encode()
        name = thing.name if isinstance(thing, Path) else ""
        whole.update(f"{name}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()[:16]


@contextmanager
def alone():
    """One process at a time makes things; another waits and then finds them made."""
    STORE.mkdir(parents=True, exist_ok=True)
    with open(STORE / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Image:
    """The VM's kernel and files, without the product, but with the libraries it links."""

    name = "image"

    def __init__(self, product):
        listed = [name for line in (PARTS / "packages.txt").read_text().splitlines()
                  if not line.startswith("#") for name in line.split()]
        self.packages = sorted({*listed, *library_packages(product.programs)})
        self.sources = [PARTS / name for name in ("make-image", "unpack", "copy-modules", "extract-kernel", "modules.txt")]
        self.sources += sorted((PARTS / "guest").iterdir())
        self.key = digest(*self.packages, *self.sources)
        self.path = STORE / f"image-{self.key}"

    def make(self):
        with alone():
            if self.path.exists():
                return False
            tell(f"making the image from {len(self.packages)} Debian packages and what they depend on")
            made = subprocess.run([PARTS / "make-image", self.path, STORE / "debs", *self.packages],
                                  capture_output=True, text=True, check=False)
            if made.returncode != 0:
                raise Broken(f"no image: {made.stdout}{made.stderr}")
            forget("image-*", self.path)
            return True


def library_packages(programs):
    """Debian packages of the shared libraries that programs link, as this machine has them."""
    words = output_of("ldd", *programs).split()
    paths = {str(form) for word in words if word.startswith("/") and not word.endswith(":")
             for form in (Path(word), Path(word).resolve(), Path(f"/usr{word}"))}
    found = subprocess.run(["dpkg-query", "--search", *sorted(paths)], capture_output=True, text=True, check=False)
    return {line.split(":")[0] for line in found.stdout.splitlines() if not line.startswith("diversion")}


def forget(pattern, kept):
    for path in STORE.glob(pattern):
        if path != kept and path.is_dir():
            shutil.rmtree(path)


def accelerator(image):
    """KVM when it really boots, which its device alone does not promise; remembered until the next boot."""
    image.make()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    path = STORE / f"accelerator-{boot}"
    if not path.exists():
        for old in STORE.glob("accelerator-*"):
            old.unlink()
        path.write_text("kvm" if Path("/dev/kvm").exists() and kvm_boots(image) else "tcg,thread=multi")
    return path.read_text()


def kvm_boots(image):
    command = ["qemu-system-x86_64", "-accel", "kvm", "-machine", "pc", "-cpu", "host", "-m", "512M", "-nodefaults",
               "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
               "-kernel", image.path / "kernel", "-initrd", image.path / "initrd",
               "-append", "console=ttyS0 quiet panic=-1 lab.probe"]
    try:
        said = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False)
    except subprocess.TimeoutExpired:
        return False
    return b"LAB-PROBE-OK" in said.stdout


class State:
    """A machine as it was when it was saved: its RAM, and its devices. The product is installed in it but for
    its programs, which come with each job, so that a build makes no state old."""

    def __init__(self, name, image, product):
        self.name, self.image, self.product = name, image, product
        parent, self.setup = STATES[name] or (None, None)
        self.parent = State(parent, image, product) if parent else None
        self.accelerator = accelerator(image)
        shape = f"{self.accelerator} {MEMORY_MIB} {PROCESSORS} {output_of('qemu-system-x86_64', '--version')}"
        made_by = [self.setup, *LIBRARIES] if self.parent else [str(product.settings)]
        before = self.parent.key if self.parent else image.key
        self.key = digest(before, name, shape, PARTS / "lab/machine.py", *made_by)
        self.path = STORE / f"state-{name}-{self.key}"

    def machine(self):
        """A machine that goes on from here."""
        self.make()
        return self._machine(self.path / "memory", self)

    def _machine(self, memory, state, keep=False):
        return Machine(self.image.path, self.accelerator, systemd=self.name == "systemd", memory=memory,
                       state=state.path / "devices" if state else None, keep=keep)

    def make(self):
        """False when it was there."""
        if self.path.exists():
            return False
        if self.parent:
            self.parent.make()
        with alone():
            if self.path.exists():
                return False
            forget(f"state-{self.name}[.-]*", None)
            self._make(STORE / f"state-{self.name}.new")
            return True

    def _make(self, folder):
        started = time.monotonic()
        folder.mkdir()
        if self.parent:
            subprocess.run(["cp", "--sparse=always", self.parent.path / "memory", folder / "memory"], check=True)
        with self._machine(folder / "memory", self.parent, keep=True) as machine:
            if self.parent:
                finish(machine, script_archive(self.setup))
            else:
                tell(f"state '{self.name}': booted in {machine.await_boot():.1f} s")
                install(machine, self.product)
            machine.save(folder / "devices")
        folder.rename(self.path)
        tell(f"state '{self.name}': saved after {time.monotonic() - started:.1f} s")


def finish(machine, job):
    said = bytearray()
    status = machine.run(job, said.extend, limit=900)
    if status != 0:
        raise Broken(f"setting up ended with status {status}:\n{said.decode(errors='replace')}")
    for line in said.decode(errors="replace").splitlines():
        if line.startswith("measured: "):
            tell(line)


def install(machine, product):
    finish(machine, archive("exec /usr/lib/lab/install.sh", installed=product.settings))


def booted_machine(image, systemd):
    return Machine(image.path, accelerator(image), systemd=systemd)
