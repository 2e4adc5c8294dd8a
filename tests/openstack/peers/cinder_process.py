#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's Cinder in one process: scheduler, volume service, and its API once for each way to authenticate.

cinder_process.py CONFIG. Only Debian's own python has its modules. The services talk through a transport within
the process, so there is no broker; the API's faces differ in their paste pipeline only.
"""

import sys

import eventlet

eventlet.monkey_patch()

from oslo_config import cfg  # noqa: E402  (eventlet must come first)
from oslo_log import log  # noqa: E402
from oslo_service import service as launching  # noqa: E402

from cinder import context, objects, rpc, service  # noqa: E402
from cinder.cmd import volume  # noqa: E402, F401  (registers the options of back ends)
from cinder.common import config  # noqa: E402, F401  (registers all others)
from cinder.db import migration  # noqa: E402

CONF = cfg.CONF
FACES = ("osapi_volume", "osapi_keystone", "osapi_http_basic")


def keep_notifications_working():
    """oslo.messaging 14.0.3-0+deb12u1 cuts contexts down for notifications, and Cinder 21's does not survive it:
    with any driver but noop, Debian's Cinder cannot create a volume. Upstream fixed Cinder; Debian did not."""
    complete = context.RequestContext.from_dict.__func__
    context.RequestContext.from_dict = classmethod(
        lambda cls, values: complete(cls, {**values, "read_deleted": values.get("read_deleted") or "no"}))


def configure(path):
    objects.register_all()
    log.register_options(CONF)
    for face in FACES[1:]:
        CONF.register_opts([cfg.StrOpt(f"{face}_listen"), cfg.IntOpt(f"{face}_listen_port"),
                            cfg.IntOpt(f"{face}_workers", default=1)])
    CONF(["--config-file", path], project="cinder")
    log.setup(CONF, "cinder")


def volume_services():
    for back_end in CONF.enabled_backends:
        CONF.register_opt(cfg.StrOpt("backend_host"), group=back_end)
        yield service.Service.create(binary="cinder-volume", host=f"{CONF.host}@{back_end}",
                                     service_name=back_end, coordination=True)


def main():
    configure(sys.argv[1])
    keep_notifications_working()
    migration.db_sync()
    rpc.init(CONF)
    launcher = launching.ServiceLauncher(CONF)
    launcher.launch_service(service.Service.create(binary="cinder-scheduler"))
    for one in volume_services():
        launcher.launch_service(one)
    for face in FACES:
        launcher.launch_service(service.WSGIService(face))
    launcher.wait()


if __name__ == "__main__":
    main()
