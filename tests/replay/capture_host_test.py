#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/capture-host against a small made-up host: what it opens, what it writes down, and what is left
of names in it."""

import contextlib
import importlib.machinery
import importlib.util
import io
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
import unittest.mock
from pathlib import Path

sys.dont_write_bytecode = True

PROGRAM = Path(__file__).resolve().parents[2] / "scripts/capture-host"
loader = importlib.machinery.SourceFileLoader("capture_host", str(PROGRAM))
capture_host = importlib.util.module_from_spec(importlib.util.spec_from_loader("capture_host", loader))
loader.exec_module(capture_host)

opened = []
sys.addaudithook(lambda event, found: opened.append(found) if event == "open" else None)

# What must be in no capture.
WWID = "6001405aabbccddeeff0011223344556"
TARGET = "iqn.2019-07.com.acme:prod-db"
ADDRESS, ADDRESS6 = "10.20.30.40", "fd12:3456::9"
MAP = "acme-prod-db"
PATH = "/var/lib/acme/volume-7.img"
SECRETS = ("username", "password", "username_in", "password_in")
NAMES = (WWID, TARGET, "acme", ADDRESS, ADDRESS6, MAP, PATH, "hunter2")

DISK = "devices/platform/host1/session1/target1:0:0/1:0:0:1"
SESSION = "devices/platform/host1/session1/iscsi_session/session1"
CONNECTION = "devices/platform/host1/session1/connection1:0/iscsi_connection/connection1:0"
CONTROLLER = "devices/virtual/nvme-fabrics/ctl/nvme0"


class AHost(unittest.TestCase):
    """One iSCSI path below a map, a loop device, an NVMe controller, and secrets beside all of them."""

    def setUp(self):
        self.top = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.sysfs, self.dev = self.top / "sys", self.top / "dev"
        self.add_disk()
        self.add_session()
        self.add_map()
        self.add_loop()
        self.add_controller()
        opened.clear()

    def add(self, path, text):
        (self.sysfs / path).parent.mkdir(parents=True, exist_ok=True)
        (self.sysfs / path).write_text(text + "\n")

    def link(self, path, to):
        where = self.sysfs / path
        where.parent.mkdir(parents=True, exist_ok=True)
        where.symlink_to(os.path.relpath(self.sysfs / to, where.parent))

    def add_block(self, name, folder, number, size):
        for attribute, text in {"dev": number, "size": size, "diskseq": "5", "ro": "0",
                                "uevent": f"MAJOR=1\nDEVNAME={name}\nPARTNAME=acme boot"}.items():
            self.add(f"{folder}/{attribute}", text)
        for relatives in ("slaves", "holders"):
            (self.sysfs / folder / relatives).mkdir()
        self.link(f"block/{name}", folder)
        self.link(f"dev/block/{number}", folder)

    def add_disk(self):
        self.add_block("sda", f"{DISK}/block/sda", "8:0", "2048")
        self.link(f"{DISK}/block/sda/device", DISK)
        self.add(f"{DISK}/wwid", f"naa.{WWID}")
        self.add(f"{DISK}/state", "running")
        self.add(f"{DISK}/vendor", "LIO-ORG ")
        self.add(f"{DISK}/serial", "hunter2")
        self.add(f"{DISK}/rescan", "hunter2")
        self.add(f"{DISK}/scsi_device/1:0:0:1/uevent", "")
        self.link(f"{DISK}/scsi_device/1:0:0:1/device", DISK)
        self.link("class/scsi_device/1:0:0:1", f"{DISK}/scsi_device/1:0:0:1")

    def add_session(self):
        self.add(f"{SESSION}/targetname", TARGET)
        self.add(f"{SESSION}/state", "LOGGED_IN")
        for name in SECRETS:
            self.add(f"{SESSION}/{name}", "hunter2")
        self.link(f"{SESSION}/device", "devices/platform/host1/session1")
        self.link("class/iscsi_session/session1", SESSION)
        self.add(f"{CONNECTION}/persistent_address", ADDRESS6)
        self.add(f"{CONNECTION}/address", ADDRESS)
        self.add(f"{CONNECTION}/persistent_port", "3260")
        self.link("class/iscsi_connection/connection1:0", CONNECTION)

    def add_map(self):
        folder = "devices/virtual/block/dm-0"
        self.add_block("dm-0", folder, "253:0", "2048")
        self.add(f"{folder}/dm/name", MAP)
        self.add(f"{folder}/dm/uuid", f"mpath-3{WWID}")
        self.link(f"{folder}/slaves/sda", f"{DISK}/block/sda")
        self.link(f"{DISK}/block/sda/holders/dm-0", folder)
        for name, to in ((f"mapper/{MAP}", "../dm-0"), ("mapper/control", "../misc/control"),
                         (f"disk/by-path/ip-{ADDRESS6}:3260-iscsi-{TARGET}-lun-1", "../../sda")):
            (self.dev / name).parent.mkdir(parents=True, exist_ok=True)
            (self.dev / name).symlink_to(to)

    def add_loop(self):
        self.add_block("loop0", "devices/virtual/block/loop0", "7:0", "8")
        self.add("devices/virtual/block/loop0/loop/backing_file", PATH)

    def add_controller(self):
        self.add(f"{CONTROLLER}/subsysnqn", "nqn.2019-07.com.acme:storage")
        self.add(f"{CONTROLLER}/address", f"traddr={ADDRESS},trsvcid=4420,host_traddr=acme-portal")
        self.add(f"{CONTROLLER}/dhchap_secret", "hunter2")
        self.add(f"{CONTROLLER}/tls_key", "hunter2")
        self.link("class/nvme/nvme0", CONTROLLER)

    def run_in_process(self, *words):
        """Exit status, standard output, standard error."""
        said, told = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
            status = capture_host.main([*words])
        return status, said.getvalue(), told.getvalue()

    def captured(self, *words):
        status, text, told = self.run_in_process("--sysfs", str(self.sysfs), "--dev", str(self.dev), *words)
        self.assertEqual((status, told.count("replaced: ")), (0, 1), told)
        return text

    def value_of(self, key, text):
        return re.search(rf"^{re.escape(key)} = (.*)$", text, re.M).group(1)


class AHostIsRecorded(AHost):
    def test_without_opening_a_secret(self):
        self.captured()

        below = [Path(path).relative_to(self.sysfs) for path, *_ in opened
                 if isinstance(path, str) and path.startswith(str(self.sysfs))]
        names = {path.name for path in below}
        self.assertIn("targetname", names)
        self.assertEqual(names & {*SECRETS, "serial", "rescan", "dhchap_secret", "tls_key"}, set())

    def test_without_writing_anything_into_it(self):
        before = self.times()

        self.captured()

        self.assertEqual({flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
                          for path, _, flags in opened if str(path).startswith(str(self.top))}, {0})
        self.assertEqual(before, self.times())

    def times(self):
        return {path: path.stat().st_mtime_ns for path in self.top.rglob("*") if path.is_file()}

    def test_without_any_of_its_names(self):
        text = self.captured()

        self.assertEqual([name for name in NAMES if name in text], [])

    def test_with_the_same_for_the_same(self):
        text = self.captured()

        wwid = self.value_of(f"{DISK}/wwid", text).removeprefix("naa.")
        address = self.value_of(f"{CONNECTION}/persistent_address", text)
        target = self.value_of(f"{SESSION}/targetname", text)
        self.assertEqual(wwid, "6" + "1".zfill(31))
        self.assertEqual(self.value_of("devices/virtual/block/dm-0/dm/uuid", text), f"mpath-3{wwid}")
        self.assertEqual(self.value_of(f"{CONTROLLER}/address", text),
                         f"traddr={self.value_of(f'{CONNECTION}/address', text)},trsvcid=4420,"
                         "host_traddr=portal-1.example")
        self.assertIn(f"/dev/disk/by-path/ip-{address}:3260-iscsi-{target}-lun-1 -> ../../sda", text)
        self.assertIn(f"/dev/mapper/{self.value_of('devices/virtual/block/dm-0/dm/name', text)} -> ../dm-0\n", text)

    def test_with_links_as_links(self):
        text = self.captured()

        self.assertIn(f"\nblock/sda -> ../{DISK}/block/sda\n", text)
        self.assertIn("\ndevices/virtual/block/dm-0/slaves/sda -> ../../../../platform/", text)
        self.assertIn(f"\n{DISK}/block/sda/slaves/\n", text)
        self.assertNotIn("mapper/control", text)

    def test_twice_the_same(self):
        self.assertEqual(self.captured(), self.captured())

    def test_in_order(self):
        lines = self.captured().split("[sysfs]\n")[1].split("\n\n")[0].split("\n")
        keys = [re.split(" =| -> ", line)[0].rstrip("/") for line in lines if not line.startswith("|")]

        self.assertEqual(keys, sorted(keys))

    def test_with_several_lines_of_which_none_is_a_name(self):
        self.assertIn(f"{DISK}/block/sda/uevent =\n| MAJOR=1\n| DEVNAME=sda\n{DISK}", self.captured())

    def test_with_no_blank_at_the_end_of_a_line(self):
        text = self.captured()

        self.assertIn("/vendor = LIO-ORG\\x20\n", text)
        self.assertNotRegex(text, r"[ \t]\n")

    def test_with_what_cannot_be_read(self):
        (self.sysfs / DISK / "state").unlink()
        with socket.socket(socket.AF_UNIX) as nobody, contextlib.chdir(self.sysfs / DISK):
            nobody.bind("state")  # open(2) of a socket: ENXIO, 6

        self.assertIn(f"\n{DISK}/state ! 6\n", self.captured())

    def test_without_what_is_too_long(self):
        self.add(f"{DISK}/model", "x" * 4096)

        self.assertNotIn(f"{DISK}/model", self.captured())

    def test_into_a_file(self):
        status, said, told = self.run_in_process("--sysfs", str(self.sysfs), "--name", "lab", "--about", "a host",
                                                 "--output", str(self.top))

        self.assertEqual((status, said), (0, ""), told)
        self.assertEqual((self.top / "lab.capture").read_text().split("\n")[:2], ["volgrow capture 1", "# a host"])
        self.assertIn("read it through", told)

    def test_without_a_look_at_files_whose_server_may_be_gone(self):
        image = self.top / "image"
        image.write_text("x" * 512)
        self.add("devices/virtual/block/loop0/loop/backing_file", str(image))
        mounts = self.top / "mountinfo"
        nfs = f"2 1 0:2 / {self.top} rw shared:1 - nfs4 {ADDRESS}:/acme rw\n"

        mounts.write_text("1 0 0:1 / / rw - ext4 /dev/acme rw\n")
        here = self.captured("--mountinfo", str(mounts))
        mounts.write_text("1 0 0:1 / / rw - ext4 /dev/acme rw\n" + nfs)
        away = self.captured("--mountinfo", str(mounts))

        self.assertIn("\n/recorded/file-1 = 512 ", here)
        self.assertIn("/loop/backing_file = /recorded/file-1\n", away)
        self.assertNotIn("/recorded/file-1 = 512", away)
        self.assertIn("2 0 0:2 / /recorded/mount-2 rw - nfs4 192.0.2.1:/export-2 rw\n", away)
        self.assertNotIn("acme", away)


class AHostIsNotRecorded(AHost):
    def test_when_there_is_no_sysfs(self):
        status, said, told = self.run_in_process("--sysfs", str(self.top / "nowhere"))

        self.assertEqual((status, said), (1, ""))
        self.assertIn("it is no sysfs", told)

    def test_when_the_file_cannot_be_written(self):
        status, _, told = self.run_in_process("--sysfs", str(self.sysfs), "--output", str(self.top / "no/where"))

        self.assertEqual(status, 1)
        self.assertIn("No such file or directory", told)

    def test_when_a_name_would_be_left_in_it(self):
        with unittest.mock.patch.dict(capture_host.CLASSES["iscsi_session"], {"targetname": "kept"}):
            status, said, told = self.run_in_process("--sysfs", str(self.sysfs))

        self.assertEqual((status, said), (1, ""))
        self.assertIn(TARGET, told)

    def test_on_wrong_usage(self):
        done = subprocess.run([PROGRAM, "--name", "../x"], capture_output=True, text=True, check=False)

        self.assertEqual(done.returncode, 2)
        self.assertIn("no name for a file", done.stderr)


class AMultipathd:
    """Answers each question once, as multipathd frames it."""

    def __init__(self, address, replies):
        self.replies, self.asked = replies, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(address)
        self.listener.listen()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        for _ in self.replies:
            with self.listener.accept()[0] as connection:
                (size,) = struct.unpack("@N", connection.recv(struct.calcsize("@N"), socket.MSG_WAITALL))
                question = connection.recv(size, socket.MSG_WAITALL).rstrip(b"\0").decode()
                self.asked.append(question)
                reply = self.replies[question].encode() + b"\0"
                connection.sendall(struct.pack("@N", len(reply)) + reply)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.thread.join()
        self.listener.close()


class AMultipathdIsAsked(AHost):
    PATHS = 'show paths raw format "%d;%w;%t;%o;%T"'
    REPLIES = {
        "show daemon": "pid 4711 idle\n",
        "show maps json": f'{{"major_version": 0, "maps": [{{"name": "{MAP}", "uuid": "3{WWID}", "paths": 1, '
                          f'"total_q_time": 77, "path_groups": [{{"group": 1, "paths": [{{"dev": "sda", '
                          f'"host_adapter": "{ADDRESS}", "lun_hex": "0x0001000000000000", '
                          f'"target_wwnn": "{TARGET}"}}]}}]}}]}}\n',
        PATHS: f"sda;3{WWID};active;running;ready\n",
    }

    def replies_in(self, replies):
        address = str(self.top / "socket")
        with AMultipathd(address, replies) as multipathd:
            text = self.captured("--multipathd", address)
        self.assertEqual(multipathd.asked, list(replies))
        return text.split("[multipathd]\n")[1]

    def test_what_a_replay_needs(self):
        self.assertEqual(self.replies_in(self.REPLIES), f"""\
show daemon =
| pid 1 idle
|
show maps json =
| {{
|  "maps": [
|   {{
|    "name": "name-1",
|    "path_groups": [
|     {{
|      "group": 1,
|      "paths": [
|       {{"dev": "sda", "lun_hex": "0x0001000000000000", "target_wwnn": "iqn.2001-04.com.example:target-1"}}
|      ]
|     }}
|    ],
|    "paths": 1,
|    "uuid": "36{"1".zfill(31)}"
|   }}
|  ]
| }}
|
{self.PATHS} =
| sda;36{"1".zfill(31)};active;running;ready
|
""")

    def test_and_what_is_no_answer_is_recorded_as_a_failure(self):
        replies = self.REPLIES | {"show maps json": f"no json from {MAP}\n"}

        self.assertIn("show maps json =\n| fail\n|\n", self.replies_in(replies))

    def test_and_need_not_be_there(self):
        self.assertTrue(self.captured("--multipathd", str(self.top / "nobody")).endswith("[multipathd]\n"))


class WhatIsPutInPlace(unittest.TestCase):
    """Has the form of what was there."""

    def scrubbed(self, rule, *texts):
        scrubber = capture_host.Scrubber()
        return [getattr(scrubber, rule)(text) for text in texts]

    def test_of_identities(self):
        self.assertEqual(self.scrubbed(
            "wwid", f"naa.{WWID}", f"3{WWID}", "naa.5000c500a1b2c3d4", "0x5000C500A1B2C3D4", "eui.0025388b01234567",
            "00 25 38 8b 01 23 45 67", "t10.ATA     QEMU HARDDISK  QM00001", "nvme.1af4-61636d65-51454d55-00000001",
            "0x0000000000000000", ""), [
                "naa.60000000000000000000000000000001", "360000000000000000000000000000001",
                "naa.5000000000000002", "0x5000000000000002", "eui.0000000000000003",
                "00 00 00 00 00 00 00 03", "t10.ATA     0000000000000000000001", "nvme.1af4-00000000000000000000000002",
                "0x0000000000000000", ""])

    def test_of_uuids_with_and_without_dashes(self):
        self.assertEqual(self.scrubbed(
            "text", "1b4e28ba-2fa1-11d2-883f-0016d3cca427", "1b4e28ba2fa111d2883f0016d3cca427"),
            ["00000000-0000-4000-8000-000000000001", "00000000000040008000000000000001"])

    def test_of_addresses(self):
        self.assertEqual(self.scrubbed(
            "address", "10.1.1.1", "[fd00::1]", "FD00::1", "fe80::2%eth0", "::ffff:10.1.1.1", "Portal.acme.com",
            "portal.acme.com"),
            ["192.0.2.1", "[2001:db8::2]", "2001:DB8::2", "2001:db8::3%eth0", "::ffff:192.0.2.1",
             "portal-1.example", "portal-1.example"])

    def test_of_more_addresses_than_one_network_has(self):
        found = self.scrubbed("ipv4", *(f"10.1.{n // 256}.{n % 256}" for n in range(600)))

        self.assertEqual((found[253], found[254], found[508]), ("192.0.2.254", "198.51.100.1", "203.0.113.1"))
        self.assertEqual(len(set(found)), 600)

    def test_of_target_names(self):
        self.assertEqual(self.scrubbed(
            "iscsi_name", "iqn.2019-07.com.acme:a", "iqn.2019-07.com.ACME:a", "iqn.2019-07.com.acme",
            "eui.02004567a425678d"),
            ["iqn.2001-04.com.example:target-1", "iqn.2001-04.com.example:target-1",
             "iqn.2001-04.com.example:target-2", "eui.0000000000000001"])

    def test_of_subsystem_names(self):
        self.assertEqual(self.scrubbed(
            "nqn", "nqn.2014-08.org.nvmexpress.discovery", "nqn.2019-07.com.acme:x",
            "nqn.2014-08.org.nvmexpress:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427"),
            ["nqn.2014-08.org.nvmexpress.discovery", "nqn.2001-04.com.example:subsystem-1",
             "nqn.2014-08.org.nvmexpress:uuid:00000000-0000-4000-8000-000000000001"])

    def test_of_map_names(self):
        self.assertEqual(self.scrubbed(
            "map_name", "acme", "mpatha", "mpathb-part1", f"3{WWID}", f"3{WWID}-part2", "acme data", "dm-5", "acme"),
            ["name-1", "mpatha", "mpathb-part1", "360000000000000000000000000000001",
             "360000000000000000000000000000001-part2", "name-2_ _", "dm-5", "name-1"])

    def test_of_map_uuids(self):
        self.assertEqual(self.scrubbed(
            "map_uuid", f"mpath-3{WWID}", f"part1-mpath-3{WWID}", "CRYPT-LUKS2-1b4e28ba2fa111d2883f0016d3cca427-acme",
            "CRYPT-PLAIN-acme", "LVM-" + "aB3" * 20 + "wxyz-tpool"),
            ["mpath-360000000000000000000000000000001", "part1-mpath-360000000000000000000000000000001",
             "CRYPT-LUKS2-00000000000040008000000000000002-name-1", "CRYPT-PLAIN-name-1",
             "LVM-" + "1".zfill(64) + "-tpool"])

    def test_of_files(self):
        self.assertEqual(self.scrubbed("file", PATH, f"{PATH} (deleted)", "/dev/dm-3", "/dev/mapper/acme"),
                         ["/recorded/file-1", "/recorded/file-1 (deleted)", "/dev/dm-3", "/recorded/file-2"])

    def test_of_links_with_ipv6_and_long_luns(self):
        self.assertEqual(self.scrubbed(
            "link_name", "ip-::1:3260-iscsi-iqn.2019-07.com.acme:a-lun-3-lun-0x0101000000000000",
            "pci-0000:05:00.0-fc-0x5006016b3de04b9a-lun-1", "pci-0000:00:02.0"),
            ["ip-2001:db8::1:3260-iscsi-iqn.2001-04.com.example:target-1-lun-0x0101000000000000",
             "pci-0000:05:00.0-fc-0x5000000000000001-lun-1", "pci-0000:00:02.0"])

    def test_is_not_the_address_of_a_scsi_or_pci_device(self):
        places = ["devices/pci0000:00/0000:00:01.0/host0/target0:0:0/0:0:0:0", "rport-7:0-1", "session1", "3:0:0:16640"]

        self.assertEqual(self.scrubbed("text", *places), places)


if __name__ == "__main__":
    unittest.main()
