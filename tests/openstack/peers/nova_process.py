#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's Nova in one process: conductor, compute with a driver that touches nothing, and its API.

nova_process.py CONFIG INSTANCE=[HOST]:VOLUME,… …. Only Debian's own python has its modules. No broker, Placement,
scheduler, Neutron or Glance: instances and their volumes are rows that are written with Nova's own objects.
"""

import sys

import eventlet

eventlet.monkey_patch(os=False)

import json  # noqa: E402  (eventlet must come first)
import os  # noqa: E402
import pathlib  # noqa: E402

os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "1"  # done above, before anything else was imported

import eventlet.wsgi  # noqa: E402
import nova.conf  # noqa: E402
import nova.virt  # noqa: E402
from nova import config, context, objects, service  # noqa: E402
from nova.db import migration  # noqa: E402
from oslo_log import log  # noqa: E402
from oslo_service import service as launching  # noqa: E402
from oslo_utils import timeutils, uuidutils  # noqa: E402

CONF = nova.conf.CONF
PROJECT = os.environ["VOLGROW_TEST_PROJECT"]


def configure(path):
    nova.virt.__path__.append(str(pathlib.Path(__file__).parent))  # where compute_driver is looked for
    config.parse_args(["nova", "--config-file", path])
    log.setup(CONF, "nova")
    objects.register_all()
    for database in ("api", "main"):
        migration.db_sync(database=database)


def make_cell(admin):
    objects.CellMapping(admin, uuid=objects.CellMapping.CELL0_UUID, name="cell0", transport_url="none:///",
                        database_connection=CONF.database.connection + "_cell0").create()
    cell = objects.CellMapping(admin, uuid=uuidutils.generate_uuid(), name="cell1",
                               transport_url=CONF.transport_url, database_connection=CONF.database.connection)
    cell.create()
    return cell


def flavor():
    return objects.Flavor(flavorid="f1", name="f1", memory_mb=64, vcpus=1, root_gb=0, ephemeral_gb=0, swap=0,
                          rxtx_factor=1.0, vcpu_weight=0, disabled=False, is_public=True, extra_specs={}, projects=[])


def make_instance(admin, cell, uuid, host, volumes):
    with context.target_cell(admin, cell) as here:
        objects.Instance(here, uuid=uuid, user_id="admin", project_id=PROJECT, host=host, node=host, vm_state="active",
                         power_state=1, display_name=uuid, hostname="guest", flavor=flavor(), memory_mb=64, vcpus=1,
                         root_gb=0, ephemeral_gb=0, image_ref="", instance_type_id=0, numa_topology=None,
                         launched_at=timeutils.utcnow(), system_metadata={}, metadata={}).create()
        objects.InstanceMapping(admin, instance_uuid=uuid, cell_mapping=cell, project_id=PROJECT,
                                user_id="admin").create()
        for number, volume in enumerate(volumes):
            attach(here, uuid, volume, number)


def attach(here, instance, volume, number):
    connection = {"driver_volume_type": "iscsi", "serial": volume, "data": {"volume_id": volume}}
    objects.BlockDeviceMapping(here, instance_uuid=instance, source_type="volume", destination_type="volume",
                               device_type="disk", disk_bus="virtio", boot_index=-1, no_device=False,
                               device_name=f"/dev/vd{chr(ord('b') + number)}", volume_id=volume, volume_size=1,
                               delete_on_termination=False, connection_info=json.dumps(connection)).create()


def make_instances(specifications):
    admin = context.get_admin_context()
    cell = make_cell(admin)
    for specification in specifications:
        uuid, rest = specification.split("=")
        host, volumes = rest.split(":")
        make_instance(admin, cell, uuid, host or None, [volume for volume in volumes.split(",") if volume])


def placement(environment, start_response):
    """As much of Placement as nova-compute needs to start; what else it asks for fails, and Nova goes on."""
    found = environment["PATH_INFO"] in ("", "/")
    body = json.dumps({"versions": [{"id": "v1.0", "min_version": "1.0", "max_version": "1.39", "status": "CURRENT",
                                     "links": [{"rel": "self", "href": ""}]}]} if found else {}).encode()
    start_response("200 OK" if found else "404 Not Found",
                   [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def main():
    configure(sys.argv[1])
    make_instances(sys.argv[2:])
    address = ("127.0.0.1", int(CONF.placement.endpoint_override.rsplit(":", 1)[1]))
    eventlet.spawn(eventlet.wsgi.server, eventlet.listen(address), placement, log_output=False)
    launcher = launching.ServiceLauncher(CONF)
    for binary in ("nova-conductor", "nova-compute"):
        launcher.launch_service(service.Service.create(binary=binary))
        eventlet.sleep(1)  # compute calls the conductor while it starts
    launcher.launch_service(service.WSGIService("osapi_compute"))
    launcher.wait()


if __name__ == "__main__":
    main()
