# SPDX-License-Identifier: Apache-2.0
"""The other actions of a volume."""

from openstack.steps import CONNECTOR, INSTANCE, NOWHERE, SECOND_INSTANCE, Case, Settles, act, get, reset, show, volume, volume_type

STATUSES = ("creating", "available", "deleting", "error", "error_deleting", "attaching", "in-use", "detaching", "maintenance", "retyping",
            "managing", "uploading", "downloading", "awaiting-transfer", "backing-up", "restoring-backup", "error_restoring",
            "error_backing-up", "error_managing", "error_managing_deleting", "unmanaging", "reserved", "extending", "error_extending")


def reset_status(content, name="v"):
    return act(name, "os-reset_status", content)


def attached(name="v", instance=INSTANCE, **more):
    return act(name, "os-attach", {"instance_uuid": instance, "mountpoint": "/dev/vdb", **more})


def each(action, contents, name="v"):
    return [act(name, action, content) for content in contents]


def in_every_status(*actions):
    return [[reset("v", status), *actions] for status in ("error", "extending", "maintenance", "creating", "attaching", "detaching",
                                                         "error_extending", "reserved")]


CASES = [
    Case("os-reset_status sets what is a status", [volume("v"), *[
        [reset_status({"status": status}), reset("v")] for status in STATUSES],
        reset_status({"status": "ERROR"}), show("v"), reset_status({"attach_status": "attached"}), show("v"),
        reset_status({"status": None, "attach_status": "detached"}), reset_status({"migration_status": "migrating"}), show("v"),
        reset_status({"status": "available", "attach_status": "detached", "migration_status": "none"}), show("v")]),

    Case("os-reset_status refuses what is none", [volume("v"), *each("os-reset_status", (
        {"status": "nonsense"}, {"status": ""}, {"status": None}, {"status": 5}, {}, None, [], {"x": 1}, {"status": "error", "x": 1},
        {"attach_status": "junk"}, {"attach_status": None}, {"migration_status": "junk"}, {"status": "deleted"},
        {"status": "error_deletingdetaching"})),
        reset_status({"status": "error"}, f"/volumes/{NOWHERE}"), reset_status({"status": "junk"}, f"/volumes/{NOWHERE}")]),

    Case("a volume is reserved and let go", [
        volume("v"), act("v", "os-reserve", {}), show("v"), act("v", "os-reserve", {}), act("v", "os-unreserve", {}), show("v"),
        act("v", "os-unreserve", {}), act("v", "os-reserve", None), act("v", "os-unreserve", None), act("v", "os-reserve", {"x": 1}),
        act("v", "os-unreserve", {"x": 1}), *[act(f"/volumes/{NOWHERE}", action, {}) for action in ("os-reserve", "os-unreserve")],
        in_every_status(act("v", "os-reserve", {}), act("v", "os-unreserve", {}))]),

    Case("os-attach wants an instance or a host, and a place", [volume("v"), *each("os-attach", (
        {}, None, [], {"instance_uuid": INSTANCE}, {"mountpoint": "/dev/vdb"}, {"instance_uuid": INSTANCE, "mountpoint": ""},
        {"instance_uuid": INSTANCE, "mountpoint": "x" * 256}, {"instance_uuid": INSTANCE, "mountpoint": 5},
        {"instance_uuid": "x", "mountpoint": "/dev/vdb"}, {"instance_uuid": None, "mountpoint": "/dev/vdb"},
        {"instance_uuid": INSTANCE, "mountpoint": "/dev/vdb", "mode": "rwx"}, {"instance_uuid": INSTANCE, "mountpoint": "/dev/vdb", "mode": None},
        {"instance_uuid": INSTANCE, "mountpoint": "/dev/vdb", "x": 1}, {"host_name": "x" * 256, "mountpoint": "/dev/vdb"},
        {"host_name": 5, "mountpoint": "/dev/vdb"}))]),

    Case("a volume is attached and detached with actions", [
        volume("v"), act("v", "os-reserve", {}), attached(mode="rw"), show("v"), attached(), attached(instance=SECOND_INSTANCE),
        get("/attachments?volume_id={v}", "3.27"), get("/attachments/detail?volume_id={v}", "3.27"),
        act("v", "os-roll_detaching", {}), act("v", "os-begin_detaching", {}), show("v"), act("v", "os-begin_detaching", {}),
        act("v", "os-roll_detaching", {}), show("v"), act("v", "os-begin_detaching", None), act("v", "os-detach", {}), show("v"),
        act("v", "os-detach", {}), act("v", "os-begin_detaching", {})]),

    Case("a volume is attached to a host", [
        volume("v"), act("v", "os-attach", {"host_name": "somewhere", "mountpoint": "/mnt"}), show("v"), act("v", "os-detach", None), show("v")]),

    Case("os-attach works without a reservation", [volume("v"), attached(), show("v")]),

    Case("os-detach knows its attachment", [volume("v"), attached(), *each("os-detach", (
        [], "x", {"attachment_id": "junk"}, {"attachment_id": NOWHERE}, {"x": 1}, {"attachment_id": None}))]),

    Case("actions on what is not there", [act(f"/volumes/{NOWHERE}", action, content) for action, content in (
        ("os-attach", {"instance_uuid": INSTANCE, "mountpoint": "/dev/vdb"}), ("os-detach", {}), ("os-begin_detaching", {}),
        ("os-roll_detaching", {}), ("os-initialize_connection", {"connector": CONNECTOR}), ("os-terminate_connection", {"connector": CONNECTOR}),
        ("os-force_detach", {}), ("os-set_bootable", {"bootable": True}), ("os-update_readonly_flag", {"readonly": True}))]),

    Case("attaching wants the right status", [volume("v"), in_every_status(
        attached(), act("v", "os-begin_detaching", {}), act("v", "os-detach", {}))]),

    Case("os-attach heeds that a volume is read-only", [
        volume("v"), *each("os-update_readonly_flag", ({"readonly": "maybe"}, {}, None, {"readonly": True})), show("v"),
        attached(mode="rw"), attached(), show("v"), act("v", "os-update_readonly_flag", {"readonly": False}), act("v", "os-detach", {}),
        act("v", "os-update_readonly_flag", {"readonly": "off"}), show("v")]),

    Case("os-initialize_connection wants a connector", [volume("v"), *each("os-initialize_connection", (
        {}, {"connector": None}, {"connector": "x"}, {"connector": []}, {"connector": CONNECTOR, "x": 1}, None))]),

    Case("a connection is made and ended", [
        volume("v"), act("v", "os-initialize_connection", {"connector": CONNECTOR}), show("v"),
        act("v", "os-terminate_connection", {"connector": CONNECTOR}), act("v", "os-terminate_connection", {"connector": None}), show("v")]),

    Case("os-terminate_connection wants a connector", [volume("v"), *each("os-terminate_connection", ({}, {"connector": []}, None))]),

    Case("os-force_detach", [volume("v"), *each("os-force_detach", (None, {"x": 1}, {"attachment_id": 5})), attached(),
                             act("v", "os-force_detach", {"attachment_id": None, "connector": CONNECTOR}), show("v")]),

    Case("os-set_bootable", [volume("v"), *each("os-set_bootable", (
        {"bootable": True}, {"bootable": "true"}, {"bootable": "maybe"}, {}, None, {"bootable": None}, {"bootable": 1})), show("v")]),

    Case("what is not offered is said to be so", [volume("v"), act("v", "os-retype", {"new_type": "nothing", "migration_policy": "never"}),
                                                  act("v", "os-set_image_metadata", {"metadata": {"k": "v"}}), show("v")]),

    Case("there is no such action", [volume("v"), *[act("v", action, {}) for action in ("os-nothing", "extend", "OS-EXTEND", "os-extend ")]]),

    Case("os-attach attaches a volume of a type for many to several", [
        volume_type("many", "t", multiattach="<is> True"), volume("v", volume_type="many"), attached(), Settles("v"),
        attached(instance=SECOND_INSTANCE), Settles("v"), show("v"), act("v", "os-begin_detaching", {}), show("v"),
        act("v", "os-roll_detaching", {}), act("v", "os-reserve", {}), show("v"), act("v", "os-unreserve", {}), show("v")]),
]
