#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Scenario 1: a driver without in-use-extend. An attached volume is refused with a message that says so, and
nothing is touched; an available one on the same back end extends."""

from scenario import PROJECT, Clients, cloud, expect, field, main, require, say

INSTANCE = "aaaaaaaa-0000-4000-8000-000000000001"


def story():
    require("cinder", "openstack")
    slow = {"name": "slow", "driver": "file", "in_use_extend": False}
    with cloud(backends=[slow]) as made:
        clients = Clients(made)
        say("a volume on a back end whose driver cannot extend in use, attached on node1")
        attached = field(clients.cinder("create", "1", "--name", "attached").stdout, "id")
        made.wait_for_status(attached, "available")
        device = made.attach(attached, "node1", INSTANCE)
        before = (made.volume(attached), made.extension(attached), usage(made))

        refused = clients.cinder("extend", attached, "2", check=False)
        expect("exit status of cinder extend", refused.returncode, 1)
        for words in ("in-use-extend", "'file'", "HTTP 400"):
            expect(f"{words} in what cinder says", words in refused.stderr, True)
        refused = clients.openstack("volume", "set", "--size", "2", attached, check=False)
        expect("exit status of openstack volume set", refused.returncode, 1)

        expect("the volume, its hosts and the quota are as before",
               (made.volume(attached), made.extension(attached), usage(made)) == before, True)
        expect("bytes on the back end", made.extension(attached)["back_end"]["bytes"], 1 << 30)
        expect("bytes of the device", size_of(device), 1 << 30)
        expect("jobs on node1", made.hosts["node1"].volgrow("jobs", "--json").stdout.count('"job"'), 0)

        say("an available volume on the same back end")
        free = field(clients.openstack("volume", "create", "--size", "1", "free").stdout, "id")
        made.wait_for_status(free, "available")
        clients.openstack("volume", "set", "--size", "2", free)
        made.wait_for_status(free, "available")
        expect("its size", made.volume(free)["size"], 2)
        expect("its bytes on the back end", made.extension(free)["back_end"]["bytes"], 2 << 30)


def usage(made):
    """Quota of the project, used and reserved."""
    return made.get("GET", f"/v3/{PROJECT}/os-quota-sets/{PROJECT}?usage=True")["quota_set"]["gigabytes"]


def size_of(device):
    from scenario import device_bytes
    return device_bytes(device)


if __name__ == "__main__":
    main(story)
