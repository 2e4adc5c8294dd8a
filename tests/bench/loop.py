#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From 202 to confirmed: one extend after the other, then many at once, on one host with real loop devices; and
where the time goes, hop by hop. All clocks are this machine's."""

import concurrent.futures
import pathlib
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.cloud.cloud import Cloud, moment  # noqa: E402
from tests.cloud.process import Failed  # noqa: E402

EXTRA = "[quota]\nvolumes = -1\ngigabytes = -1\n"
HOPS = ("202 answered", "in-use: back end grown", "agent's job began", "job ended", "confirmed")


def extend(cloud, volume, size):
    """When it was asked, and when 202 came."""
    asked = time.time()
    status, body = cloud.extend(volume, size)
    if status != 202:
        raise Failed(f"{status} {body}")
    return asked, time.time()


def hops(cloud, volume, size, asked, accepted):
    """Milliseconds from the request to each hop, once everything is confirmed."""
    while True:
        extension = cloud.wait_for_hosts(volume, "confirmed", 120)
        attachment = extension["attachments"][0]
        if attachment["bytes"] == size << 30:
            break
        time.sleep(0.005)
    report = attachment["report"]
    began = moment(report["started_at"])
    updated = moment(cloud.volume(volume)["updated_at"])
    ends = (accepted, updated, began, began + report["duration_us"] / 1e6, moment(attachment["since"]))
    return [1e3 * (end - asked) for end in ends]


def show(title, rows):
    print(f"{title}: {len(rows)} extends, ms from the request (median, p90)")
    for name, column in zip(HOPS, zip(*rows)):
        ordered = sorted(column)
        print(f"  {name:<26}{statistics.median(ordered):9.1f}{ordered[int(len(ordered) * 0.9)]:9.1f}")


def main():
    programs, many = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 200
    with tempfile.TemporaryDirectory(prefix="volgrow-bench.") as directory:
        with Cloud(directory, programs, extra=EXTRA) as cloud:
            first = cloud.create(1)
            cloud.attach(first, "node1", "aaaaaaaa-0000-4000-8000-000000000001")
            rows = []
            for size in range(2, 33):
                rows.append(hops(cloud, first, size, *extend(cloud, first, size)))
            show("one at a time", rows)
            volumes = [cloud.create(1) for _ in range(many)]
            for number, volume in enumerate(volumes):
                cloud.attach(volume, "node1", f"aaaaaaaa-0000-4000-8000-{number:012d}")
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                begun = time.time()
                asked = list(pool.map(lambda volume: extend(cloud, volume, 2), volumes))
            rows = [hops(cloud, volume, 2, *times) for volume, times in zip(volumes, asked)]
            whole = max(when + row[-1] / 1e3 for (when, _), row in zip(asked, rows)) - begun
            show(f"{many} at once, {whole:.2f} s until the last is confirmed", rows)


if __name__ == "__main__":
    main()
