# SPDX-License-Identifier: Apache-2.0
"""Volume types with their extra specs, quotas and limits."""

from openstack.steps import NOWHERE, Case, delete, get, post, put, quota, volume, volume_type

LONG = "x" * 256
QUOTA = "/os-quota-sets/{project}"


def spec(key=""):
    return f"/types/{{t}}/extra_specs{key}"


CASES = [
    Case("there is a default type", [
        get("/types"), get("/types", "3.70"), get("/types/default"), get(f"/types/{NOWHERE}"), get("/types/__DEFAULT__"),
        get("/types?is_public=None"), get("/types?is_public=junk"), get("/types?is_public=True"), get("/types?limit=1"),
        get("/types?name=nothing&is_public=None")]),

    Case("a type is made, changed and deleted", [
        post("/types", {"volume_type": {"name": "gold", "description": "d", "os-volume-type-access:is_public": True,
                                        "extra_specs": {"volume_backend_name": "file"}}}, keep={"t": "volume_type.id"}),
        get("/types/{t}"), get("/types/{t}", "3.70"), get("/types"), get("/types?name=gold&is_public=None"),
        *[put("/types/{t}", {"volume_type": change}) for change in (
            {"name": "gold2"}, {"description": "dd"}, {"is_public": True}, {}, {"name": ""}, {"name": LONG}, {"x": 1})],
        put(f"/types/{NOWHERE}", {"volume_type": {"name": "q"}}), post("/types", {"volume_type": {"name": "gold2"}}),
        volume("v", volume_type="gold2"), delete("/types/{t}"), post(spec(), {"extra_specs": {"z": "1"}}), put(spec("/z"), {"z": "1"}),
        delete("/volumes/{v}")]),

    Case("a type goes", [volume_type("gold", "t"), delete("/types/{t}"), delete("/types/{t}"), get("/types/{t}")]),

    Case("a type is not made of nonsense", [post("/types", {"volume_type": content}) for content in (
        {"name": ""}, {}, None, {"name": LONG}, {"name": "y", "description": LONG}, {"name": "y", "x": 1}, {"name": 5},
        {"name": "y", "extra_specs": {"a b": "1"}}, {"name": "y", "extra_specs": 5}, {"name": "y", "os-volume-type-access:is_public": "maybe"})] + [
        post("/types", {})]),

    Case("extra specs are read and written", [
        volume_type("gold", "t", volume_backend_name="file"), get(spec()), post(spec(), {"extra_specs": {"a": "1", "b:c": "<is> True"}}),
        get(spec()), get(spec("/a")), get(spec("/none")), put(spec("/a"), {"a": "2"}), put(spec("/a"), {"b": "2"}), put(spec("/a"), {}),
        put(spec("/a"), {"a": "2", "b": "3"}), delete(spec("/a")), delete(spec("/a")), get(f"/types/{NOWHERE}/extra_specs"),
        post(f"/types/{NOWHERE}/extra_specs", {"extra_specs": {"a": "1"}}),
        *[post(spec(), {"extra_specs": content}) for content in (
            {}, {"a": 1}, {"a b": "1"}, {"": "1"}, {"a/b": "1"}, {"k": LONG}, {LONG: "1"}, None)], post(spec(), {}), get("/types/{t}")]),

    Case("quotas are read", [get(QUOTA + query) for query in (
        "", "?usage=True", "?usage=true", "?usage=False", "?usage=1", "?usage=junk", "/defaults")] + [
        get(QUOTA, "3.70"), get("/os-quota-sets/{other_project}"), get("/os-quota-sets/{other_project}?usage=True")]),

    Case("quotas are written", [quota(**limits) for limits in (
        {"gigabytes": 100}, {"gigabytes": 150, "volumes": 5}, {"gigabytes": -1}, {"gigabytes": -2}, {"gigabytes": "x"}, {"gigabytes": "150"},
        {"gigabytes": 1.5}, {"gigabytes": None}, {"gigabytes": 2147483648}, {"nothing": 5}, {}, {"gigabytes___DEFAULT__": 50},
        {"gigabytes_none": 50}, {"tenant_id": "{project}", "gigabytes": 80}, {"force": True, "gigabytes": 90}, {"per_volume_gigabytes": 7})] + [
        put(QUOTA, {}), put(QUOTA + "?skip_validation=False", {"quota_set": {"gigabytes": 60}}), get(QUOTA), get("/limits"), delete(QUOTA), get(QUOTA),
        delete("/os-quota-sets/{other_project}"), put("/os-quota-sets/{other_project}", {"quota_set": {"gigabytes": 7}}),
        get("/os-quota-sets/{other_project}")]),

    Case("a quota is not set below what is used", [volume("v", 3), quota(gigabytes=1), quota(volumes=0), quota(gigabytes=3), get(QUOTA + "?usage=True")]),

    Case("quotas of a type", [volume_type("gold", "t"), quota(gigabytes_gold=5, volumes_gold=1), get(QUOTA), volume("v", 2, volume_type="gold"),
                              get(QUOTA + "?usage=True")]),

    Case("quota classes", [get("/os-quota-class-sets/default"), get("/os-quota-class-sets/nothing"),
                           put("/os-quota-class-sets/default", {"quota_class_set": {"gigabytes": "x"}}), put("/os-quota-class-sets/default", {})]),

    Case("limits", [volume("v", 2), get("/limits"), get("/limits", "3.70"), get("/limits?project_id={project}", "3.39"),
                    get("/limits?project_id={other_project}", "3.39")]),
]
