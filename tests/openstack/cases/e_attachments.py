# SPDX-License-Identifier: Apache-2.0
"""Attachments of 3.27 and later, and what the volume shows meanwhile."""

from openstack.steps import (CONNECTOR, INSTANCE, NOWHERE, SECOND_INSTANCE, Case, NovaUses, Settles, act, attach, delete, extend, get, post, put,
                             reset, show, volume, volume_type)


def attachment(content, version="3.27", **more):
    return post("/attachments", {"attachment": content}, version, **more)


def reserved(**more):
    return attachment({"volume_uuid": "{v}", "instance_uuid": INSTANCE}, keep={"a": "attachment.id"}, **more)


def connected(connector=CONNECTOR, target="{a}", version="3.27"):
    return put(f"/attachments/{target}", {"attachment": {"connector": connector}}, version)


def completed(target="{a}", content=None, version="3.44"):
    return post(f"/attachments/{target}/action", {"os-complete": content}, version)


def one(version="3.27"):
    return get("/attachments/{a}", version)


CASES = [
    Case("an attachment is not made of nonsense", [volume("v"), *[attachment(content) for content in (
        {}, {"volume_uuid": "x"}, {"volume_uuid": None}, {"volume_uuid": NOWHERE}, {"volume_uuid": "{v}", "instance_uuid": "x"},
        {"volume_uuid": "{v}", "instance_uuid": None}, {"volume_uuid": "{v}", "connector": "x"}, {"volume_uuid": "{v}", "connector": []},
        {"volume_uuid": "{v}", "x": 1}, {"volume_uuid": "{v}", "mode": "rw"}, None)],
        attachment({"volume_uuid": "{v}", "mode": "x"}, "3.54"), attachment({"volume_uuid": "{v}", "mode": None}, "3.54"),
        post("/attachments", {}, "3.27"), post("/attachments", {"attachment": {"volume_uuid": NOWHERE}, "x": 1}, "3.27"), show("v")]),

    Case("an attachment reserves, connects, completes and goes", [
        volume("v"), reserved(), show("v"), one(), one("3.54"), get("/attachments", "3.27"), get("/attachments/detail", "3.27"),
        connected(), show("v"), one(), completed(), show("v"), one(), get("/attachments/detail", "3.27"),
        delete("/attachments/{a}", "3.27"), show("v"), delete("/attachments/{a}", "3.27"), one()]),

    Case("an attachment connects at once", [
        volume("v"), attachment({"volume_uuid": "{v}", "instance_uuid": INSTANCE, "connector": CONNECTOR}, keep={"a": "attachment.id"}),
        show("v"), one(), extend("v", 2), completed(), show("v"), delete("/attachments/{a}", "3.70"), show("v")]),

    *[Case(f"a volume that Nova uses is detached with {how}", [volume("v"), attach("v", "a"), NovaUses("a"), detached, show("v")])
      for how, detached in (("its attachment", delete("/attachments/{a}", "3.27")), ("os-detach", act("v", "os-detach", {})))],

    Case("a reservation is given up", [volume("v"), reserved(), delete("/attachments/{a}", "3.27"), show("v")]),

    Case("an empty connector is none", [
        volume("v"), attachment({"volume_uuid": "{v}", "instance_uuid": INSTANCE, "connector": {}, "mode": "rw"}, "3.54",
                                keep={"a": "attachment.id"}), show("v")]),

    Case("an attachment completes without having connected", [volume("v"), reserved(), completed(), show("v"), one("3.44")]),

    Case("an attachment without an instance", [
        volume("v"), attachment({"volume_uuid": "{v}"}, keep={"a": "attachment.id"}), show("v"), one(), connected(), completed(), show("v"),
        delete("/attachments/{a}", "3.27"), show("v")]),

    Case("an update wants a connector", [volume("v"), reserved(), *[put("/attachments/{a}", body, "3.27") for body in (
        {}, {"attachment": {}}, {"attachment": {"connector": {}}}, {"attachment": {"connector": None}},
        {"attachment": {"connector": CONNECTOR, "x": 1}})], connected(target=NOWHERE), show("v")]),

    Case("a connector is of a host, and connects once", [
        volume("v"), reserved(), connected({"a": "b"}), show("v"), connected(), connected(), completed(), connected()]),

    Case("os-complete", [volume("v"), reserved(), connected(), completed(version="3.43"), completed(NOWHERE), completed(content={"x": 1}),
                         completed(), post("/attachments/{a}/action", {"os-nothing": {}}, "3.44"), post("/attachments/{a}/action", {}, "3.44")]),

    Case("an attachment is not found", [get(f"/attachments/{NOWHERE}", "3.27"), get("/attachments/junk", "3.27"),
                                        delete(f"/attachments/{NOWHERE}", "3.27"), get("/attachments/summary", "3.27")]),

    Case("the same instance reserves twice, another does not", [
        volume("v"), reserved(), reserved(), attachment({"volume_uuid": "{v}", "instance_uuid": SECOND_INSTANCE}), show("v")]),

    Case("a mode is kept", [
        volume("v"), attachment({"volume_uuid": "{v}", "instance_uuid": INSTANCE, "mode": "ro"}, "3.54", keep={"a": "attachment.id"}),
        connected(version="3.54"), completed(), show("v"), one("3.54")]),

    Case("a read-only volume is attached read-only", [
        volume("v"), act("v", "os-update_readonly_flag", {"readonly": True}), attachment(
            {"volume_uuid": "{v}", "instance_uuid": INSTANCE, "mode": "rw"}, "3.54", keep={"a": "attachment.id"}), one("3.54")]),

    Case("an attachment wants the right status", [volume("v"), *[
        [reset("v", status), attachment({"volume_uuid": "{v}", "instance_uuid": INSTANCE})] for status in (
            "error", "extending", "creating", "attaching", "detaching", "maintenance", "error_extending", "reserved")]]),

    Case("a volume of a type for many is attached to several", [
        volume_type("many", "t", multiattach="<is> True"), volume("v", volume_type="many"), show("v"), attach("v", "a"), show("v"),
        attach("v", "b", SECOND_INSTANCE, {**CONNECTOR, "host": "elsewhere"}), show("v"),
        *[get(f"/attachments{query}", "3.70") for query in (
            "", "?volume_id={v}", f"?instance_id={SECOND_INSTANCE}", "?limit=1", "?limit=1&sort=created_at:asc", "?attach_status=attached",
            "?junk=1", "?all_tenants=1", "?marker=junk", "?limit=x", "?offset=1&sort=created_at:asc")],
        delete("/attachments/{a}", "3.70"), show("v"), delete("/attachments/{b}", "3.70"), show("v"), Settles("v")]),
]
