# SPDX-License-Identifier: Apache-2.0
"""Debian's Nova, started in a directory of its own, with instances that have volumes."""

import json

from openstack.cinder import PYTHON, require
from openstack.people import PROJECT, SERVICE_TOKEN
from openstack.process import PARTS, Program, free_ports, is_listening, write_config


def url_at(port):
    return f"http://127.0.0.1:{port}/v2.1"


class RealNova:
    """Use as `with RealNova(folder, cinder_url, {instance: (host or "", [volume, …])}) as nova`.

    Instances on the host "compute" are this Nova's own; what it was told to extend is in extended().
    """

    host = "compute"

    def __init__(self, folder, cinder_url, instances, port=None):
        """cinder_url: http://…/v3 of whoever plays Cinder with noauth. port: chosen before, when Cinder must know."""
        require("nova.service", "python3-nova")
        self.folder = folder
        self.wishes, self._extended = folder / "wishes.json", folder / "extended"
        (folder / "log").mkdir(parents=True)
        free, port_placement = free_ports(2)
        self.port = port or free
        config = write_config("nova.conf", folder, state=folder, debug=False, host=self.host, port=self.port,
                              port_placement=port_placement, cinder=cinder_url, service_token=SERVICE_TOKEN)
        words = [f"{uuid}={host}:{','.join(volumes)}" for uuid, (host, volumes) in instances.items()]
        self.program = Program([PYTHON, "-B", PARTS / "nova_process.py", config, *words], folder / "nova.output", {
            "PYTHONPATH": str(PARTS), "VOLGROW_TEST_PROJECT": PROJECT, "VOLGROW_TEST_WISHES": str(self.wishes),
            "VOLGROW_TEST_EXTENDED": str(self._extended), "OS_PLACEMENT_CONFIG_DIR": str(folder)})

    def __enter__(self):
        self.program.__enter__()
        self.program.await_(lambda: is_listening(self.port), 120, "listening")
        return self

    def __exit__(self, *_):
        self.program.__exit__()

    @property
    def url(self):
        return url_at(self.port)

    def wish(self, extend):
        """How compute extends from here on: see peers/compute_driver.py."""
        self.wishes.write_text(json.dumps({"extend": extend}))

    def extended(self):
        """What compute was told to extend so far: instance, volume, bytes of each."""
        if not self._extended.exists():
            return []
        return [json.loads(line) for line in self._extended.read_text().splitlines()]
