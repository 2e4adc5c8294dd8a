# SPDX-License-Identifier: Apache-2.0
"""os-extend: what it refuses and in which order, and what becomes of what it accepts."""

from openstack.steps import (NOWHERE, Case, NovaAnswers, NovaWasSent, Raw, Settles, act, attach, delete, extend, get, messages,
                             post, quota, reset, show, volume, volume_type, INSTANCE, SECOND_INSTANCE, CONNECTOR)

USAGE = get("/os-quota-sets/{project}?usage=True")
NO_SIZES = (None, "", "abc", "0", "1", "-1", " 3", "3 ", "3.0", 3.0, 3.5, 0, -5, 2147483648, "2147483648", 10**20, True, False, [3],
            {}, "٣", "0x3", "3" * 400, "a" * 300, "it's", "q\"'q", "ü\u2028\x07😀", 1.5e300, "a\\b", "\x7f\xa0", ["a", {"b": None}])
ELSEWHERE = ("creating", "error", "error_deleting", "attaching", "detaching", "reserved", "maintenance", "extending",
             "error_extending", "retyping", "backing-up", "restoring-backup", "error_restoring", "uploading", "downloading",
             "awaiting-transfer", "managing", "error_managing", "error_backing-up")


def in_use(name, size=1, **properties):
    return [volume(name, size, **properties), attach(name, "a")]


def grown(name, size, **more):
    return [extend(name, size, **more), Settles(name), show(name)]


CASES = [
    Case("os-extend refuses what is no size", [volume("v", 2), *[extend("v", size) for size in NO_SIZES]]),

    Case("os-extend refuses what is no extend", [
        volume("v", 2), *[act("v", "os-extend", body, "3.42") for body in (
            {}, None, [], "x", 1, {"new_size": 3, "x": 1}, {"new_size": 3, "x": 1, "y": 2}, {"x": 1})],
        post("/volumes/{v}/action", Raw('{"os-extend":{"new_size":1e2}}')),
        post("/volumes/{v}/action", Raw('{"os-extend":{"new_size":1,"new_size":2}}'))]),

    Case("os-extend checks the body first, then whether the volume is there", [
        extend(f"/volumes/{NOWHERE}", "abc"), extend(f"/volumes/{NOWHERE}", 3), extend("/volumes/abc", 3)]),

    Case("os-extend only grows", [volume("v", 2), *[extend("v", size, version) for size, version in (
        (2, "3.42"), (1, "3.42"), ("2", "3.42"), (2, None))]]),

    Case("os-extend wants an available volume", [volume("v", 2), *[
        [act("v", "os-reset_status", {"status": status}), extend("v", 4, None), extend("v", 4), extend("v", 1)]
        for status in ELSEWHERE]]),

    *[Case(f"an available volume grows at {version}", [volume("v"), grown("v", 2, version=version), messages("v", 0), USAGE])
      for version in (None, "3.41", "3.42", "3.70")],

    Case("a size may be a string, and end in a newline", [volume("v"), grown("v", "2"), grown("v", "3\n")]),

    Case("a volume in use grows from 3.42 on", [in_use("v", 2), *[extend("v", 3, version) for version in (None, "3.0", "3.41")],
                                                extend("v", 2, "3.41"), extend("v", 2), grown("v", 3), NovaWasSent(1), USAGE,
                                                messages("v", 0)]),

    Case("os-extend heeds the limits of the type", [
        volume_type("limited", "t", provisioning__min_vol_size="2", provisioning__max_vol_size="4"),
        volume("v", 2, volume_type="limited"), extend("v", 5), extend("v", "5"), grown("v", 4)]),

    *[Case(f"a limit of {limit!r} of the type", [
        volume_type("odd", "t", provisioning__max_vol_size=limit),
        post("/volumes", {"volume": {"size": 2, "volume_type": "odd"}}, keep={"v": "volume.id"}), Settles("v"), extend("v", 9)])
      for limit in ("abc", "-1", "3.5", "", " 7 ")],

    Case("os-extend heeds per_volume_gigabytes", [volume("v"), quota(per_volume_gigabytes=10), extend("v", 11), show("v"), USAGE,
                                                  grown("v", 10)]),

    Case("os-extend heeds gigabytes", [volume("v"), volume("w"), quota(gigabytes=10), extend("v", 10), show("v"), USAGE,
                                       grown("v", 9), extend("w", 2), messages("v", 0)]),

    Case("os-extend heeds the quota of the type", [
        volume_type("gold", "t"), volume("v", 2, volume_type="gold"), quota(gigabytes_gold=3), extend("v", 9), show("v"),
        grown("v", 3), USAGE]),

    Case("the volume's limit is checked before the project's", [volume("v"), quota(gigabytes=3, per_volume_gigabytes=2), extend("v", 9)]),

    Case("os-extend in use heeds the quota", [in_use("v"), quota(gigabytes=3), extend("v", 9), show("v"), USAGE, NovaWasSent(0)]),

    Case("a volume that no back end has room for keeps its size", [
        quota(gigabytes=-1), volume("v"), extend("v", 2147483647), Settles("v"), show("v"), messages("v", 1), USAGE,
        in_use("w"), extend("w", 2147483647), Settles("w"), show("w"), messages("w", 1), NovaWasSent(0)]),

    Case("a back end that cannot grow in use is not asked to", [
        volume_type("rigid", "t", volume_backend_name="rigid"), in_use("v", volume_type="rigid"), extend("v", 2), Settles("v"),
        show("v"), messages("v", 1), USAGE, NovaWasSent(0)]),

    Case("a back end that cannot grow in use still grows what is available", [
        volume_type("rigid", "t", volume_backend_name="rigid"), volume("v", volume_type="rigid"), grown("v", 2),
        messages("v", 0), USAGE]),

    Case("Nova gets one event for each instance", [
        volume_type("many", "t", multiattach="<is> True"), volume("v", volume_type="many"), attach("v", "a"),
        attach("v", "b", SECOND_INSTANCE, {**CONNECTOR, "host": "elsewhere"}), grown("v", 2), NovaWasSent(1), messages("v", 0)]),

    Case("Nova is told only of what is attached still", [
        in_use("v"), delete("/attachments/{a}", "3.44"), show("v"), grown("v", 2), NovaWasSent(0)]),

    *[Case(f"Nova answers an event with {answer}", [in_use("v"), NovaAnswers(answer), grown("v", 2), NovaWasSent(1), NovaAnswers("ok"),
                                                    grown("v", 3), NovaWasSent(1), messages("v", number)])
      for answer, number in (("ok", 0), ("207 of 404", 0), ("207 of 422", 0), ("an empty list", 0), ("no codes", 1), ("no list", 1),
                             ("no events", 1), ("junk", 1), ("400", 1), ("401", 1), ("403", 1), ("404", 1), ("406", 1),
                             ("409", 1), ("429", 1), ("500", 1), ("502", 1), ("503", 1), ("reset", 1))],

    Case("a volume whose status was reset grows again", [volume("v"), act("v", "os-reset_status", {"status": "error_extending"}),
                                                         extend("v", 2), reset("v"), grown("v", 2), USAGE]),

    Case("a host has no instance to tell Nova of", [
        volume("v"), act("v", "os-attach", {"host_name": "somewhere", "mountpoint": "/mnt"}), Settles("v"), grown("v", 2)]),

    Case("a reserved volume does not grow", [
        volume("v"), post("/attachments", {"attachment": {"volume_uuid": "{v}", "instance_uuid": INSTANCE}}, "3.27"), extend("v", 2)]),

    Case("3.71 finishes an extend that waits", [
        volume("v"), act("v", "os-extend_volume_completion", {"error": False}, "3.70"),
        *[act(name, "os-extend_volume_completion", body, "3.71") for name in ("v", f"/volumes/{NOWHERE}")
                       for body in ({"error": False}, {}, {"error": "x"}, {"error": 1}, {"x": 1}, None)]]),
]
