# SPDX-License-Identifier: Apache-2.0
"""What holds for every request: versions, microversions, URLs, methods, bodies, content types, who asks."""

from openstack.steps import NOWHERE, Call, Case, Raw, delete, get, post, put

ACTION = f"/volumes/{NOWHERE}/action"


def version(header, **more):
    return get("/volumes", headers={"OpenStack-API-Version": header}, note=f"{header!r}", **more)


def bare(target, method="GET", user=None, **more):
    return Call(method, target, under="", user=user, **more)


def raw(target, text, **more):
    return post(target, Raw(text), note=f"{text[:30]!r}", **more)


CASES = [
    Case("the versions are told to everyone", [
        bare("/"), bare("/", "HEAD"), bare("/", version="3.27"), bare("/", version="9.9"), bare("/", "DELETE"),
        bare("/", "POST", body={}), bare("/", headers={"Host": "volume.example.org:8443"}),
        bare("/", headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": "front.example.org"}),
        bare("/v3", user="admin"), bare("/v3/", user="admin"), bare("/v3/", "HEAD", user="admin"),
        bare("/v3/", user="admin", version="3.27"), bare("/v3/", "POST", user="admin", body={}),
        bare("/v1/"), bare("/v2"), bare("/v2/"), bare("/v4/"), bare("/v3.json"), bare("/nothing"),
        bare("/v3/{project}", user="admin"), bare("/v3/{project}/", user="admin")]),

    Case("the microversion header is read in all its forms", [
        version(header) for header in (
            "volume 3.0", "volume 3.27", "volume 3.70", "volume 4.0", "volume 2.0", "volume 1.0", "volume latest",
            "volume LATEST", "volume 3", "volume 3.", "volume 3.x", "volume 03.0", "volume 3.01", "volume 3.0.1",
            "volume -3.0", "volume", "3.0", "latest", "volume 3.27,compute 2.51", "compute 2.51,volume 3.27",
            "compute 2.51 , volume 3.27 ", "compute 2.51", "volume  3.27", "volume 3.27 extra",
            "volume 3.27,volume 3.42", "Volume 3.27", "", " ", "block-storage 3.27", "volume\t3.27",
            "volume 3.10000", "volume 3.0 , compute")] + [
        get("/volumes"), get("/volumes", headers={"openstack-api-version": "volume 3.5"}),
        get("/volumes", headers={"X-OpenStack-Volume-API-Version": "3.5"})]),

    Case("the newest microversion is announced and refused beyond", [version("volume 3.71"), version("volume 3.72")]),

    Case("a resource is not there below its microversion", [
        get("/attachments", "3.26"), get("/messages", "3.2"), get("/messages"), get("/attachments", "3.27"),
        get("/messages", "3.3"), post("/attachments", {}, "3.26"), delete(f"/attachments/{NOWHERE}", "3.26"),
        get("/volumes/summary", "3.11"), get("/volumes/summary", "3.12")]),

    Case("the project may be left out of the URL", [
        get("/volumes", under="/v3"), get("/volumes", "3.66", under="/v3"), get("/volumes", "3.67", under="/v3"),
        get(f"/volumes/{NOWHERE}", under="/v3"), get("/nothing", under="/v3")]),

    Case("the project of the URL is the caller's", [
        get("/volumes", under="/v3/{other_project}"), get("/nothing", under="/v3/{other_project}"),
        get("/volumes", under="/v3/demo"), get("/volumes", under="/v3/ABCDEF"), get("/volumes", under="/v3/abc-def"),
        get("/volumes", project="{other_project}"), get("/volumes", under="/v3/{other_project}", project="{other_project}")]),

    Case("an URL that is none is not found", [
        get(target) for target in (
            "/nothing", "/volumes/", "/volumes/detail/", "/volumes.json", "/volumes/detail.json", "/volumes.xml",
            "/volumes/abc", "/volumes/abc.json", f"/volumes/{NOWHERE}", f"/volumes/{NOWHERE}/", f"/volumes/{NOWHERE}/x",
            "//volumes", "/volumes/new", "/volumes/%C3%A4", f"/volumes/{NOWHERE}/edit", "/volumes?%ff",
            f"/volumes/{NOWHERE}.json", "/Volumes", f"/attachments/{NOWHERE}/")]),

    Case("a method an URL does not have is not found", [
        get(ACTION), put("/volumes", {}), delete("/volumes"), Call("PATCH", "/volumes", {}), post("/volumes/detail", {}),
        post("/scheduler-stats/get_pools", {}), Call("OPTIONS", "/volumes"), Call("BREW", "/volumes"),
        put(ACTION, {}), delete("/limits"), post(f"/volumes/{NOWHERE}", {})]),

    Case("HEAD is GET without the body", [Call("HEAD", "/volumes"), Call("HEAD", f"/volumes/{NOWHERE}"), Call("HEAD", "/nothing")]),

    Case("a body that is no JSON object is refused", [
        *[raw("/volumes", text) for text in (
            "", "{", "[]", '"x"', "null", "1", "true", '{"volume":{}', '{"volume":{"size":1}}x', "\xff", "   ", "{}",
            '{"volume": NaN}', '{"volume":{"size":1},"volume":{"size":0}}', '{"volume":1.0}', '{"volume":"\\ud800"}')],
        *[raw(ACTION, text) for text in (
            "", "{", "[]", "[{}]", '"x"', "null", "1", "{}", '{"a":{}}', '{"a":1,"b":2}',
            '{"os-extend":{"new_size":3},"os-nothing":{}}', '{"os-extend":{"new_size":3},"os-extend":{"new_size":0}}')],
        Call("GET", "/volumes", {"a": 1}), Call("DELETE", f"/volumes/{NOWHERE}", Raw("junk")),
        Call("DELETE", f"/volumes/{NOWHERE}", {"a": 1})]),

    Case("a body may have 114688 bytes", [
        post("/volumes", Raw('{"volume":{"size":0,"name":"' + "x" * 114649 + '"}}')),
        post("/volumes", Raw(" " * 114688)), post("/volumes", Raw(" " * 114689))]),

    Case("a body nested without end is refused", [
        post("/volumes", Raw("[" * 3000)), post("/volumes", Raw('{"volume":' * 2000 + "1" + "}" * 2000))]),

    Case("only JSON is a media type", [
        post(target, Raw(text), headers={"Content-Type": kind}, note=f"{kind}")
        for kind in (None, "text/plain", "application/xml", "application/x-www-form-urlencoded", "application/JSON",
                     "application/json; charset=utf-8", "application/json;charset=latin-1", "", "junk",
                     "application/vnd.openstack.volume+json", "multipart/form-data; boundary=x")
        for target, text in (("/volumes", '{"volume":{"size":0}}'), (ACTION, '{"os-extend":{"new_size":0}}'))]),

    Case("what is not found is said as the caller accepts it", [
        get("/nothing", headers={"Accept": accept}, note=f"{accept}")
        for accept in ("application/json", "text/html", "*/*", None, "text/html,application/xhtml+xml", "text/plain",
                       "application/xml", "application/json;q=0.1, text/html", "application/vnd.openstack.volume+json",
                       "*/*;q=0.5, application/json", "junk")]),

    Case("an answer is JSON whatever is accepted", [
        get("/volumes", headers={"Accept": accept}, note=f"{accept}")
        for accept in ("application/xml", "text/html", "*/*", "application/vnd.openstack.volume+json", "junk", None)]),

    Case("without a token noauth hands one out", [
        get("/volumes", user=None), get("/nothing", user=None), post("/volumes", {}, user=None),
        bare("/v3"), bare("/v3/"), bare("/v3?x=1"),
        get("/volumes", user=None, headers={"X-Auth-User": "u", "X-Auth-Project-Id": "p"})]),

    Case("a noauth token is a user and a project", [
        get("/volumes", user=None, headers={"X-Auth-Token": token}, note=token)
        for token in ("", "x", "x:", "x:y", ":{project}", "admin:{project}:z", "{project}", "fake")]),

    Case("with noauth everyone is an administrator", [
        get("/os-quota-sets/{project}", user="somebody"), get("/volumes?all_tenants=1", user="somebody")]),
]
