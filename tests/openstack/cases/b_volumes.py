# SPDX-License-Identifier: Apache-2.0
"""Volumes: made, shown, listed, changed and deleted."""

from openstack.steps import (CONNECTOR, NOWHERE, Case, Raw, Settles, act, attach, create, delete, get, messages, post, put,
                             quota, reset, show, volume, volume_type)

VERSIONS = (None, "3.8", "3.12", "3.13", "3.21", "3.27", "3.42", "3.48", "3.53", "3.59", "3.60", "3.61", "3.63", "3.65",
            "3.70")
LONG = "x" * 256


def made(body, version=None):
    return [create(body, version, keep={"v": "volume.id"}), Settles("v"), show("v")]


def listed(query, version=None, target="/volumes", **more):
    return get(target + query, version, **more)


FOUR = [volume("one", name="one", metadata={"k": "1"}), volume("two", 2, name="two", metadata={"k": "2"}),
        volume("three", 3, name="two"), volume("four", name="four"), act("four", "os-reset_status", {"status": "error"})]

CASES = [
    *[Case(f"a volume looks as it does at {version}", [
        create({"size": 1, "name": "n", "description": "d", "metadata": {"a": "b"}}, version, keep={"v": "volume.id"}),
        Settles("v"), show("v", version), listed("", version), listed("/detail", version)]) for version in VERSIONS],

    Case("a volume is made of what clients send", [
        made({"size": 1}), made({"size": "1"}), made({"size": 1, "display_name": "x", "display_description": "y"}),
        made({"size": 1, "name": None, "description": None, "volume_type": None, "metadata": None,
              "availability_zone": None, "imageRef": None, "snapshot_id": None, "source_volid": None,
              "consistencygroup_id": None, "multiattach": False}),
        made({"size": 1, "name": "  padded  ", "description": "  p "}), made({"size": 1, "name": ""}),
        made({"size": 1, "name": "a", "display_name": "b"}), made({"size": 1, "metadata": {}}),
        made({"size": 1, "metadata": {"k": ""}}), made({"size": 1, "bootable": True, "unknown": 5}),
        made({"size": 1, "status": "creating", "user_id": None, "project_id": None, "attach_status": "detached",
              "source_replica": None}),
        made({"size": 1, "volume_type": "__DEFAULT__"}), made({"size": 1, "volume_type": ""}),
        made({"size": 1, "availability_zone": "nova"}), made({"size": 1, "name": "ünï 😀"}),
        made({"size": 1, "metadata": {"readonly": "True", "attached_mode": "rw"}})]),

    Case("a volume is not made of nonsense", [
        *[create({"size": size}) for size in (0, -1, "abc", "0", "-1", "", " 1", 1.0, 1.5, True, 2**31, [1], {}, None)],
        create({}), post("/volumes", {"volume": None}), post("/volumes", {"volume": []}), post("/volumes", {}),
        post("/volumes", {"volume": {"size": 1}, "x": 1}),
        *[create({"size": 1, key: value}) for key, value in (
            ("name", LONG), ("name", 5), ("description", LONG), ("description", 5), ("metadata", "x"),
            ("metadata", {"a": 1}), ("metadata", {"a": None}), ("metadata", {"": "x"}), ("metadata", {LONG: "x"}),
            ("metadata", {"a": LONG}), ("metadata", {"a b": "x"}), ("metadata", {"a/b": "x"}),
            ("volume_type", "nothing"), ("volume_type", 5), ("volume_type", NOWHERE), ("volume_type", LONG),
            ("multiattach", True), ("multiattach", "maybe"), ("availability_zone", "mars"), ("availability_zone", ""),
            ("snapshot_id", "x"), ("snapshot_id", NOWHERE), ("source_volid", "x"), ("source_volid", NOWHERE),
            ("consistencygroup_id", NOWHERE))],
        create({"size": 1, "unknown": 5}, "3.53"), create({"size": 1, "group_id": NOWHERE}, "3.13"),
        create({"size": 1, "backup_id": NOWHERE}, "3.47")]),

    Case("a volume that no back end has room for is made in error", [
        quota(gigabytes=-1), create({"size": 2147483647}, "3.70", keep={"v": "volume.id"}), Settles("v"), show("v"),
        messages("v", 1), get("/os-quota-sets/{project}?usage=True")]),

    Case("a volume is made within the quotas", [
        quota(per_volume_gigabytes=10), create({"size": 11}), quota(per_volume_gigabytes=-1, gigabytes=5),
        volume("v", 4), create({"size": 2}), quota(gigabytes=-1, volumes=1), create({"size": 1}),
        volume_type("gold", "gold"), quota(volumes=10, gigabytes_gold=3), create({"size": 4, "volume_type": "gold"}),
        quota(gigabytes_gold=-1, volumes_gold=0), create({"size": 1, "volume_type": "gold"}),
        get("/os-quota-sets/{project}?usage=True")]),

    Case("a volume is as large as its type allows", [
        volume_type("limited", "limited", provisioning__min_vol_size="2", provisioning__max_vol_size="4"),
        *[create({"size": size, "volume_type": "limited"}) for size in (1, 5)],
        made({"size": 2, "volume_type": "limited"}), made({"size": 4, "volume_type": "limited"})]),

    Case("volumes are listed in pages", [FOUR, *[listed(query) for query in (
        "", "?limit=2", "?limit=2&marker={three}", "?limit=2&marker={one}", "?marker={two}", "?limit=0", "?limit=-1",
        "?limit=abc", "?limit=", "?limit=1001", "?limit=2147483648", "?limit=1&name=two", "?limit=1&all_tenants=1&sort=name:asc",
        f"?marker={NOWHERE}", "?marker=junk", "?offset=1", "?offset=1&limit=1", "?offset=-1", "?offset=x", "?offset=99")],
        listed("?limit=2", target="/volumes/detail"), listed("?limit=1", "3.67", under="/v3"),
        listed("?limit=1", headers={"Host": "cloud.example.org:8776"}),
        listed("?limit=1", headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": "api.example.org"})]),

    Case("volumes are listed in an order", [FOUR, *[listed(query) for query in (
        "?sort=name", "?sort=name:asc,created_at", "?sort=name:desc,size:asc", "?sort=created_at:asc", "?sort=size,created_at", "?sort=junk",
        "?sort=name:up", "?sort=", "?sort=status:asc,created_at:desc", "?sort=name:asc:x", "?sort_key=name&sort_dir=asc",
        "?sort_key=size", "?sort_dir=asc", "?sort=name&sort_key=size", "?sort_dir=up", "?sort=display_name")]]),

    Case("volumes are found by what they are", [FOUR, *[listed(query, version) for query, version in (
        ("?name=two", None), ("?name=TWO", None), ("?name~=tw", None), ("?name~=tw", "3.34"), ("?display_name=two", None),
        ("?status=error", None), ("?status=available", None), ("?status=nothing", None), ("?size=1", None), ("?size=x", None),
        ("?metadata={%22k%22:%221%22}", None), ("?metadata=%7B'k':'1'%7D", None), ("?metadata=junk", None),
        ("?bootable=false", None), ("?bootable=maybe", None), ("?id={one}", None), ("?volume_type=__DEFAULT__", None),
        ("?volume_type_id=x", None), ("?availability_zone=nova", None), ("?unknown=1", None), ("?project_id={project}", None),
        ("?all_tenants=1", None), ("?all_tenants=0", None), ("?all_tenants=maybe", None), ("?all_tenants", None),
        ("?all_tenants=1&project_id={other_project}", None), ("?multiattach=false", None), ("?attach_status=detached", None),
        ("?user_id=admin", None), ("?name=", None), ("?name=two&name=one", None), ("?migration_status=none", None),
        ("?created_at=gt:2020-01-01T00:00:00", "3.60"), ("?created_at=lt:2020-01-01", "3.60"), ("?created_at=junk", "3.60"),
        ("?created_at=gt:2020-01-01", None), ("?consumes_quota=true", "3.65"), ("?consumes_quota=true", "3.64"),
        ("?group_id=x", "3.10"), ("?snapshot_id=x", None), ("?host=x", None))]]),

    Case("volumes are counted", [FOUR, *[listed(query, version, target) for query, version, target in (
        ("?with_count=True", None, "/volumes"), ("?with_count=True", "3.45", "/volumes"),
        ("?with_count=true&limit=1", "3.45", "/volumes"), ("?with_count=True&limit=1", "3.45", "/volumes/detail"),
        ("?with_count=maybe", "3.45", "/volumes"), ("?with_count=maybe", None, "/volumes"),
        ("?with_count=0", "3.45", "/volumes"), ("?with_count=True&name=two", "3.70", "/volumes/detail"))],
        get("/volumes/summary", "3.12"), get("/volumes/summary", "3.36"), get("/volumes/summary?all_tenants=1", "3.70")]),

    Case("a volume's name and description are changed", [volume("v", name="old", metadata={"a": "b"}), *[
        put("/volumes/{v}", {"volume": change}, version) for change, version in (
            ({"name": "new"}, None), ({"name": "n2", "description": "d2"}, "3.70"), ({"display_name": "dn", "display_description": "dd"}, None),
            ({"metadata": {"z": "9"}}, None), ({"metadata": {"z": None}}, None), ({"metadata": {}}, None), ({}, None), ({}, "3.53"),
            (None, None), ({"size": 5}, None), ({"status": "error"}, None), ({"name": LONG}, None), ({"name": None}, None),
            ({"name": "  sp  "}, None), ({"name": 5}, None), ({"description": LONG}, None), ({"name": ""}, None))],
        put("/volumes/{v}", {}), put("/volumes/{v}", {"volume": {"name": "a"}, "b": 1}), put("/volumes/{v}", Raw("")),
        put(f"/volumes/{NOWHERE}", {"volume": {"name": "x"}}), put(f"/volumes/{NOWHERE}", {"volume": {"size": 1}}), show("v")]),

    Case("a volume's metadata are read and written", [volume("v", metadata={"k": "1"}),
        get("/volumes/{v}/metadata"), post("/volumes/{v}/metadata", {"metadata": {"n": "1"}}),
        put("/volumes/{v}/metadata", {"metadata": {"only": "this"}}), get("/volumes/{v}/metadata/only"),
        get("/volumes/{v}/metadata/none"), put("/volumes/{v}/metadata/only", {"meta": {"only": "that"}}),
        put("/volumes/{v}/metadata/only", {"meta": {"other": "that"}}), delete("/volumes/{v}/metadata/only"),
        delete("/volumes/{v}/metadata/only"), post("/volumes/{v}/metadata", {"metadata": {"n": 1}}),
        post("/volumes/{v}/metadata", {}), get(f"/volumes/{NOWHERE}/metadata")]),

    Case("a volume is deleted", [
        volume("v"), delete("/volumes/{v}"), Settles("v"), delete("/volumes/{v}"), show("v"),
        delete(f"/volumes/{NOWHERE}"), delete("/volumes/abc"), volume("w"), delete("/volumes/{w}?cascade=True"), Settles("w"),
        volume("x"), act("x", "os-reset_status", {"status": "error"}), delete("/volumes/{x}"), Settles("x"),
        get("/os-quota-sets/{project}?usage=True")]),

    Case("a volume at work is not deleted", [volume("v"), *[
        [act("v", "os-reset_status", {"status": status}), delete("/volumes/{v}")] for status in (
            "creating", "extending", "attaching", "reserved", "maintenance", "awaiting-transfer", "downloading", "backing-up",
            "detaching", "uploading", "retyping", "managing")],
        reset("v"), attach("v", "a"), delete("/volumes/{v}"),
        act("v", "os-reset_status", {"status": "available"}), delete("/volumes/{v}")]),

    Case("a volume is deleted by force", [
        volume("v"), act("v", "os-reset_status", {"status": "extending"}), act("v", "os-force_delete", {}), Settles("v"),
        volume("w"), act("w", "os-force_delete", None), Settles("w"), act(f"/volumes/{NOWHERE}", "os-force_delete", {}),
        volume("x"), act("x", "os-reset_status", {"status": "extending"}), delete("/volumes/{x}?force=True", "3.22"),
        delete("/volumes/{x}?force=maybe", "3.23"), delete("/volumes/{x}?force=True", "3.23"), Settles("x"),
        volume("y"), attach("y", "a", connector=CONNECTOR), act("y", "os-force_delete", {})]),
]
