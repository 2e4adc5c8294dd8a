# SPDX-License-Identifier: Apache-2.0
"""Who may do what, and how those are refused who are not known. With noauth nobody is refused anything."""

from openstack.steps import NOWHERE, Call, Case, Settles, act, create, delete, extend, get, post, put, show, volume

ADMIN_ONLY = [
    get("/os-services", user="demo"), put("/os-quota-sets/{project}", {"quota_set": {"gigabytes": 5}}, user="demo"),
    get("/scheduler-stats/get_pools", user="demo"), post("/types", {"volume_type": {"name": "t"}}, user="demo"),
    get("/os-quota-class-sets/default", user="demo"), get("/os-quota-sets/{other_project}", user="demo"),
    act("v", "os-reset_status", {"status": "error"}, user="demo"), act("v", "os-force_delete", {}, user="demo"),
    act("v", "os-force_detach", {}, user="demo"), delete("/volumes/{v}?force=True", "3.23", user="demo"),
    act(f"/volumes/{NOWHERE}", "os-force_delete", {}, user="demo"), act("v", "os-reset_status", {"status": "junk"}, user="demo")]


def of_others(*calls):
    return [Call(call.method, call.target, call.body, call.version, user="demo", project="{other_project}", under="/v3/{other_project}")
            for call in calls]


CASES = [
    Case("keystone: a token is asked for", [
        get("/volumes", user=None), get("/nothing", user=None), get("/volumes", user=None, headers={"X-Auth-Token": "bad"}),
        get("/volumes", user=None, headers={"Accept": "text/html"}), Call("GET", "/", under="", user=None), Call("GET", "/v3", under="", user=None),
        Call("GET", "/v3/", under="", user=None), Call("GET", "/v3/", under=""), Call("GET", "/v3", under=""), create({"size": 0}, user=None),
        get("/volumes", user="demo"), get("/volumes", user="demo", project="{other_project}"),
        get("/os-services", user="demo", headers={"X-Roles": "admin"})], auth="keystone"),

    Case("keystone: what only administrators may", [volume("v"), *ADMIN_ONLY, show("v")], auth="keystone"),

    Case("keystone: what users may", [
        create({"size": 1, "name": "mine"}, "3.70", user="demo", keep={"v": "volume.id"}), Settles("v"), show("v", user="demo"), show("v"),
        get("/volumes/detail", user="demo"), get("/types", user="demo"), get("/limits", user="demo"), get("/os-quota-sets/{project}", user="demo"),
        get("/messages", "3.3", user="demo"), get("/attachments", "3.27", user="demo"), get("/os-availability-zone", user="demo"),
        extend("v", 2, user="demo"), Settles("v"), act("v", "os-reserve", {}, user="demo"), act("v", "os-unreserve", {}, user="demo"),
        delete("/volumes/{v}", user="reader")], auth="keystone"),

    Case("keystone: what is another project's is not there", [volume("v"), *of_others(
        show("v"), extend("v", 5), delete("/volumes/{v}"), put("/volumes/{v}", {"volume": {"name": "x"}}), get("/volumes"),
        get("/volumes?all_tenants=1"), get("/messages", "3.3"), post("/attachments", {"attachment": {"volume_uuid": "{v}"}}, "3.27"))],
        auth="keystone"),

    Case("http_basic: a password is asked for", [
        get("/volumes", user=None), get("/nothing", user=None), get("/volumes", user="nobody"), create({"size": 1}, user=None),
        *[get("/volumes", user=None, headers={"Authorization": header}, note=header) for header in (
            "", "Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Bearer abc", "basic !!!")],
        Call("GET", "/", under="", user=None), Call("GET", "/v3", under="", user=None), Call("GET", "/v3/", under="", user=None),
        Call("GET", "/v3/", under="")], auth="http_basic"),
]
