# SPDX-License-Identifier: Apache-2.0
"""What is around volumes: pools, services, messages, zones, and collections that are empty here."""

from openstack.steps import NOWHERE, Case, Settles, delete, extend, get, messages, post, quota, volume, volume_type

EMPTY = (("/snapshots", None), ("/snapshots/detail", None), ("/backups", None), ("/backups/detail", None), ("/os-volume-transfer", None),
         ("/os-volume-transfer/detail", None), ("/qos-specs", None), ("/groups", "3.13"), ("/groups/detail", "3.13"), ("/group_snapshots", "3.14"),
         ("/volume-transfers", "3.55"), ("/clusters", "3.7"))
NO_ROOM = [quota(gigabytes=-1), volume("v"), extend("v", 2147483647), Settles("v"), messages("v", 1)]

CASES = [
    Case("pools are shown", [get(f"/scheduler-stats/get_pools{query}", version) for query, version in (
        ("", None), ("?detail=True", None), ("?detail=false", None), ("?detail=junk", None), ("?name=nothing", None), ("?name=nothing", "3.28"),
        ("?detail=True", "3.70"), ("?volume_type=__DEFAULT__", "3.35"))]),

    Case("pools are found by a type", [volume_type("rigid", "t", volume_backend_name="rigid"), get("/scheduler-stats/get_pools?volume_type=rigid", "3.35")]),

    Case("services are shown", [get("/os-services"), get("/os-services", "3.6"), get("/os-services", "3.7"), get("/os-services", "3.49"),
                                get("/os-services", "3.70"), get("/os-services?binary=cinder-volume"), get("/os-services?host=nothing")]),

    Case("messages are read and deleted", [
        NO_ROOM, get("/messages", "3.2"), get("/messages", "3.3"), get("/messages", "3.5"), get("/messages/detail", "3.70"),
        *[get(f"/messages?{query}", "3.5") for query in (
            "limit=1", "resource_uuid={v}", "event_id=VOLUME_VOLUME_007_003", "event_id=x", "message_level=ERROR", "message_level=INFO",
            "resource_type=VOLUME", "request_id=x", "junk=1", "sort=created_at:asc", "marker=junk", "limit=x")],
        get("/messages?limit=1", "3.3"), get(f"/messages/{NOWHERE}", "3.3"), get("/messages/junk", "3.3"), delete("/messages/junk", "3.3"),
        delete("/messages/junk", "3.2")]),

    Case("a message is read and deleted", [
        NO_ROOM, get("/messages?resource_uuid={v}&limit=1", "3.5"), volume("w"), get("/messages?resource_uuid={w}", "3.5")]),

    Case("zones and extensions", [get("/os-availability-zone"), get("/extensions/none")]),

    Case("what this cloud has none of is empty", [get(target, version) for target, version in EMPTY]),

    Case("what this cloud has none of is not found", [
        get(f"/snapshots/{NOWHERE}"), get(f"/backups/{NOWHERE}"), delete(f"/snapshots/{NOWHERE}"), post("/snapshots", {}),
        post("/snapshots", {"snapshot": {"volume_id": NOWHERE}}), get(f"/volumes/{NOWHERE}/encryption"), get(f"/qos-specs/{NOWHERE}")]),
]
