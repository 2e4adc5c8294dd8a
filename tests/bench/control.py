#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""control.py PROGRAMS [ROUNDS]: os-extend and volumes/detail of volgrow-control beside Debian's Cinder, one client for
both (bench_control), in turns on this machine; then what 10,000 volumes cost volgrow-control. Both keep SQLite, Cinder
without waiting for the disk (tests/openstack/peers/cinder.conf), ours waiting; both have a back end of sparse files,
Cinder in the process of its API, ours in volgrow-backend."""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import urllib.request
import uuid
from contextlib import ExitStack

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/openstack")]

from openstack.cinder import RealCinder  # noqa: E402
from openstack.identity import Identity  # noqa: E402
from openstack.process import CannotRun  # noqa: E402
from tests.cloud.cloud import Cloud  # noqa: E402
from tests.cloud.process import wait_until  # noqa: E402

VOLUMES, WIDTH = 200, 16
MANY, PAGES = 10_000, 20
ROWS = (("extends_per_s", "os-extend, answers/s", False), ("extend_p50_ms", "os-extend, p50 ms", True),
        ("extend_p99_ms", "os-extend, p99 ms", True), ("create_s", f"{VOLUMES} creates until available, s", True))


def measure(programs, url, volumes, pages=0):
    """What bench_control prints, on a project of its own that has no quota."""
    project = uuid.uuid4().hex
    unlimited(url, project)
    done = subprocess.run([programs / "bench_control", url, project, str(volumes), str(WIDTH), str(pages)],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"bench_control, {url}: {done.stderr}")
    return json.loads(done.stdout)


def unlimited(url, project):
    limits = {"quota_set": {"volumes": -1, "gigabytes": -1}}
    request = urllib.request.Request(
        f"{url}/v3/{project}/os-quota-sets/{project}", method="PUT", data=json.dumps(limits).encode(),
        headers={"X-Auth-Token": f"admin:{project}", "Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=60).close()


def memory(process):
    """(resident, proportional) MiB of a process."""
    sizes = {}
    for line in pathlib.Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]:
        name, value, *_ = line.split()
        sizes[name.rstrip(":")] = int(value) / 1024
    return sizes["Rss"], sizes["Pss"]


def compare(programs, ours, cinder, rounds):
    rows = []
    for number in range(rounds):
        rows.append((measure(programs, ours, VOLUMES), measure(programs, cinder, VOLUMES)))
        print(f"  round {number + 1}: " + ", ".join(f"{one[0]['extends_per_s']:.0f}/s and {one[1]['extends_per_s']:.1f}/s" for one in rows[-1:]),
              flush=True)
    print(f"(a) {VOLUMES} volumes, {WIDTH} requests under way, {rounds} rounds in turns; medians\n"
          f"  {'':<36}{'volgrow':>10}{'Cinder':>10}{'ratio':>8}")
    for key, what, less_is_better in ROWS:
        one, other = (statistics.median(row[side][key] for row in rows) for side in (0, 1))
        ratio = statistics.median((row[1][key] / row[0][key]) if less_is_better else (row[0][key] / row[1][key]) for row in rows)
        print(f"  {what:<36}{one:10.1f}{other:10.1f}{ratio:7.1f}x")


def many(programs, cloud):
    idle = memory(cloud.control.running)
    seen = measure(programs, cloud.url, MANY, PAGES)
    busy = memory(cloud.control.running)
    wait_until(lambda: cloud.query("select count(*) from extends") == 0, 120, "the last is extended")
    full = memory(cloud.control.running)
    cloud.control.stop()
    cloud.control.start()
    again = memory(cloud.control.running)
    print(f"(b) volgrow-control with {MANY} volumes more")
    stages = ("before", idle), ("with thousands of extends open", busy), ("when all have ended", full), ("started anew", again)
    print("  resident (proportional) MiB: " + ", ".join(f"{size[0]:.1f} ({size[1]:.1f}) {stage}" for stage, size in stages) +
          f"; volgrow-backend {memory(cloud.backend.running)[0]:.1f}")
    print(f"  created until available in {seen['create_s']:.1f} s; os-extend {seen['extends_per_s']:.0f}/s, "
          f"p50 {seen['extend_p50_ms']:.1f} ms, p99 {seen['extend_p99_ms']:.1f} ms")
    for key, value in seen.items():
        if "page" in key:
            print(f"  volumes/detail, 100 of them, {key.removesuffix('_ms').replace('_', ' ')}: {value:.2f} ms")


def main():
    programs, rounds = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory(prefix="volgrow-bench.") as directory, ExitStack() as running:
        folder = pathlib.Path(directory)
        folder.chmod(0o711)  # other accounts run programs beneath it
        (folder / "ours").mkdir()
        cloud = running.enter_context(Cloud(folder / "ours", programs, hosts=()))
        print(f"volgrow-control idle after its start: {memory(cloud.control.running)[0]:.1f} MiB resident")
        many(programs, cloud)
        try:
            identity = running.enter_context(Identity())
            cinder = running.enter_context(RealCinder(folder / "cinder", identity, "http://127.0.0.1:9/v2.1",
                                                      gigabytes=3 * VOLUMES * rounds))
        except CannotRun as reason:
            sys.exit(f"skipped: beside Cinder: {reason}")
        compare(programs, cloud.url, cinder.address("noauth"), rounds)


if __name__ == "__main__":
    main()
