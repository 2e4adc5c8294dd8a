#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Scenario 3: a capable driver and hosts that listen. 202, extending, in-use; one POST with one event for each
instance of a receiver; every host's kernel at the new size; attachments confirmed with measured bytes. First one
host, then a multi-attach volume on two."""

import concurrent.futures

from scenario import GIB, PROJECT, Clients, cloud, device_bytes, expect, field, main, require, say

FIRST, SECOND = (f"aaaaaaaa-0000-4000-8000-00000000000{n}" for n in (1, 2))


def story():
    require("cinder", "openstack")
    with cloud(hosts=("node1", "node2")) as made:
        clients = Clients(made)
        one_host(made, clients)
        two_hosts(made, clients)


def one_host(made, clients):
    say("a volume attached on node1")
    volume = field(clients.cinder("create", "1", "--name", "single").stdout, "id")
    made.wait_for_status(volume, "available")
    device = made.attach(volume, "node1", FIRST)
    expect(f"bytes of {device}", device_bytes(device), GIB)

    clients.cinder("extend", volume, "2")
    made.wait_for_status(volume, "in-use")
    settled(made, volume, {"node1": device}, 2)

    say("once more, with the other client")
    clients.openstack("volume", "set", "--size", "3", volume)
    made.wait_for_status(volume, "in-use")
    settled(made, volume, {"node1": device}, 3)
    clients.cinder("show", volume)

    say("six at the same time")
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = sorted(status for status, _ in pool.map(lambda _: made.extend(volume, 4), range(6)))
    expect("their answers", answers, [202, 400, 400, 400, 400, 400])
    made.wait_for_status(volume, "in-use")
    settled(made, volume, {"node1": device}, 4)
    usage = made.get("GET", f"/v3/{PROJECT}/os-quota-sets/{PROJECT}?usage=True")["quota_set"]["gigabytes"]
    expect("gigabytes in use, reserved", (usage["in_use"], usage["reserved"]), (4, 0))


def two_hosts(made, clients):
    say("a multi-attach volume on node1 and node2")
    clients.openstack("volume", "type", "create", "--property", "multiattach=<is> True", "shared")
    volume = field(clients.cinder("create", "1", "--name", "shared", "--volume-type", "shared").stdout, "id")
    made.wait_for_status(volume, "available")
    devices = {host: made.attach(volume, host, instance)
               for host, instance in (("node1", FIRST), ("node2", SECOND))}
    expect("two devices", len(set(devices.values())), 2)

    clients.cinder("extend", volume, "2")
    made.wait_for_status(volume, "in-use")
    settled(made, volume, devices, 2)


def settled(made, volume, devices, size):
    """What everybody must know by then."""
    extension = made.wait_for_hosts(volume, "confirmed")
    expect("size in the API", made.volume(volume)["size"], size)
    expect("bytes on the back end", extension["back_end"]["bytes"], size * GIB)
    for attachment in extension["attachments"]:
        host = attachment["host"]
        if attachment["bytes"] != size * GIB:
            # Confirmed by the growth before: this one's report is still on its way.
            return settled(made, volume, devices, size)
        expect(f"bytes measured on {host}", attachment["bytes"], size * GIB)
        expect(f"bytes of {devices[host]}, by blockdev", device_bytes(devices[host]), size * GIB)
        layers = [(layer["kind"], layer["action"], layer["after_bytes"])
                  for layer in attachment["report"]["layers"]]
        say(f"  layers on {host}", *layers)


if __name__ == "__main__":
    main(story)
