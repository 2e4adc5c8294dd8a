# SPDX-License-Identifier: Apache-2.0
"""OpenStack's own clients: what they print and how they end."""

from openstack.steps import Case, Client, Settles, attach, volume


def cinder(*commands):
    return [Client("cinder", command) for command in commands]


def openstack(*commands):
    return [Client("openstack", command) for command in commands]


CASES = [
    Case("cinder makes, shows, extends and deletes", [
        Client("cinder", "create 1 --name c", keep={"v": "id"}, in_passing=True), Settles("v"), *cinder("list", "show {v}", "show c", "extend {v} 2"), Settles("v"),
        *cinder("extend {v} 2", "create 0", "create 100000", "reset-state {v} --state error", "show {v}", "reset-state {v} --state available",
                "rename {v} d", "metadata {v} set k=v", "list --all-tenants", "list --filters status=available", "list --limit 1 --sort name",
                "--os-volume-api-version 3.0 list", "delete d"), Settles("v"), *cinder("delete nothing", "list")]),

    Case("cinder extends what is attached", [
        volume("v"), attach("v", "a"), *cinder("--os-volume-api-version 3.41 extend {v} 2", "--os-volume-api-version 3.42 extend {v} 2"), Settles("v"),
        *cinder("extend {v} 3"), Settles("v"), *cinder("show {v}", "message-list")]),

    Case("cinder attaches", [
        volume("v"), Client("cinder", "attachment-create --mode rw {v} aaaaaaaa-0000-4000-8000-000000000001", keep={"a": "id"}),
        *cinder("attachment-list", "attachment-show {a}",
                "attachment-update --initiator iqn.x --ip 192.0.2.1 --host h1 --mountpoint /dev/vdb {a}", "attachment-complete {a}",
                "show {v}", "attachment-delete {a}")]),

    Case("cinder shows the cloud", cinder(
        "type-list", "type-create gold", "type-key gold set volume_backend_name=file", "extra-specs-list", "type-show gold", "type-default",
        "type-delete gold", "quota-show {project}", "quota-usage {project}", "quota-defaults {project}", "quota-update --gigabytes 150 {project}",
        "quota-delete {project}", "absolute-limits", "get-pools", "service-list", "availability-zone-list", "snapshot-list", "summary")),

    Case("openstack makes, shows, extends and deletes", [
        Client("openstack", "volume create --size 1 o", keep={"v": "id"}), Settles("v"), *openstack(
            "volume list --long", "volume show o", "volume set --size 2 o"), Settles("v"), *openstack(
            "volume set --name p --property a=b o", "volume set --state error p", "volume set --state available p", "volume set --size 1 p",
            "volume show p", "volume delete p"), Settles("v"), *openstack("volume show nothing")]),

    Case("openstack extends what is attached", [
        volume("v"), attach("v", "a"), *openstack("volume set --size 2 {v}", "--os-volume-api-version 3.42 volume set --size 2 {v}"), Settles("v"),
        *openstack("--os-volume-api-version 3.70 volume show {v}", "--os-volume-api-version 3.27 volume attachment list")]),

    Case("openstack shows the cloud", openstack(
        "volume type create silver --property volume_backend_name=file", "volume type list", "volume type show silver", "volume type list --long --default",
        "volume type delete silver", "volume service list", "availability zone list --volume", "--os-volume-api-version 3.3 volume message list",
        "volume snapshot list")),
]
