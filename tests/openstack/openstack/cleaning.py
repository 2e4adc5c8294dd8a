# SPDX-License-Identifier: Apache-2.0
"""An empty cloud again, through the API itself, whatever a case left there."""

import contextlib

from openstack.people import OTHER_PROJECT, PROJECT
from openstack.process import Broken, await_
from openstack.steps import act, delete, reset

LIMIT = 30  # seconds
WORKED_ON = {"creating", "extending"}


def clean(player):
    let_work_end(player)
    remove_volumes(player)
    for one in listed(player, "/types?is_public=None", "volume_types"):
        if one["name"] != "__DEFAULT__":
            player.ask_once(delete(f"/types/{one['id']}"))
    for project in (PROJECT, OTHER_PROJECT):
        player.ask_once(delete(f"/os-quota-sets/{project}"))
    for message in listed(player, "/messages", "messages"):
        player.ask_once(delete(f"/messages/{message['id']}", "3.5"))


def let_work_end(player):
    """Cinder counts for good what an extend adds to a volume that is deleted meanwhile. A status that a case set by
    hand never ends, and has nothing behind it."""
    def none_worked_on():
        return not any(one["status"] in WORKED_ON for one in listed(player, "/volumes/detail?all_tenants=1", "volumes"))
    with contextlib.suppress(Broken):
        await_(none_worked_on, LIMIT, "settled")


def remove_volumes(player):
    """Reset first: what is attached or in a passing status cannot be deleted."""
    def none_left():
        volumes = listed(player, "/volumes/detail?all_tenants=1", "volumes")
        for one in volumes:
            player.kept["left"] = one["id"]
            if one["status"] != "deleting":
                player.ask_once(reset("left"))
                player.ask_once(act("left", "os-force_delete", {}))
        return not volumes
    await_(none_left, LIMIT, f"rid of all volumes at {player.side.name}")


def listed(player, target, key):
    found = player.get(target)
    if not isinstance(found, dict) or key not in found:
        raise Broken(f"{player.side.name} does not list {target}: {found}")
    return found[key]
