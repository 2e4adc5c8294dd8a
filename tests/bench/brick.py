# SPDX-License-Identifier: Apache-2.0
"""os-brick's extend_volume as Nova calls it, in a process that stays: a line with connection_info on standard input
is answered by "MICROSECONDS SIZE". Its privsep daemon is running before the first answer, which is "ready 0"."""

import json
import os
import sys
import time

from os_brick.initiator import connector, linuxfc
from oslo_concurrency import lockutils
from oslo_config import cfg
from oslo_privsep import priv_context

import os_brick


def connector_for(info):
    several = {"iscsi": "target_portals" in info["data"], "nvmeof": False,
               "fibre_channel": len(info["data"].get("target_wwn", ())) > 1}
    transport = info["driver_volume_type"]
    return connector.InitiatorConnector.factory(transport, "env", use_multipath=several[transport])


def first_adapter(adapters_of):
    """The lab's adapters are no PCI devices, and all have the same name for os-brick: with more than one, it would
    extend each disk as often as there are adapters."""
    return lambda brick: adapters_of(brick)[:1]


def main():
    linuxfc.LinuxFibreChannel.get_fc_hbas_info = first_adapter(linuxfc.LinuxFibreChannel.get_fc_hbas_info)
    answers, sys.stdout = sys.stdout, sys.stderr
    os.makedirs("/tmp/locks", exist_ok=True)
    cfg.CONF([], project="bench")
    lockutils.set_defaults("/tmp/locks")
    os_brick.setup(cfg.CONF)
    priv_context.init(root_helper=["env"])
    connector.InitiatorConnector.factory("ISCSI", "env")._linuxscsi._execute("true", run_as_root=True,
                                                                            root_helper="env")
    print("ready 0", file=answers, flush=True)
    for line in sys.stdin:
        info = json.loads(line)
        brick = connector_for(info)
        begun = time.perf_counter()
        size = brick.extend_volume(info["data"])
        print(f"{1e6 * (time.perf_counter() - begun):.0f} {size}", file=answers, flush=True)


main()
