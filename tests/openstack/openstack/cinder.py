# SPDX-License-Identifier: Apache-2.0
"""Debian's Cinder, started in a directory of its own."""

import json
import subprocess

from openstack import talk
from openstack.people import HTPASSWD, PROJECT, SERVICE_TOKEN, proof
from openstack.process import PARTS, CannotRun, Program, free_ports, is_listening, write_config

PYTHON = "/usr/bin/python3"  # the one that Debian's modules are for
FACES = ("noauth", "keystone", "http_basic")
QUOTA = {"volumes": 50, "gigabytes": 1000}


def require(module, package):
    found = subprocess.run([PYTHON, "-c", f"import importlib.util as u, sys; sys.exit(not u.find_spec({module!r}))"],
                           check=False, stderr=subprocess.DEVNULL)
    if found.returncode != 0:
        raise CannotRun(f"Debian's package {package} is not installed: scripts/setup installs it")


class RealCinder:
    """Use as `with RealCinder(folder, identity, nova) as cinder`: ready when the block begins.

    Two back ends, file and rigid, which are volume types' volume_backend_name; rigid cannot extend in use.
    """

    name = "Cinder"
    host = "storage"

    def __init__(self, folder, identity, nova, gigabytes=1000):
        """identity: an Identity; nova: a URL that ends in /v2.1; gigabytes: what there is room for on back end file."""
        require("cinder.service", "python3-cinder")
        self.folder, self.ports = folder, dict(zip(FACES, free_ports(len(FACES))))
        self.wishes = folder / "wishes.json"
        self.program = Program([PYTHON, "-B", PARTS / "cinder_process.py", self._configure(identity, nova, gigabytes)],
                               folder / "cinder.output", {"PYTHONPATH": str(PARTS)})

    def _configure(self, identity, nova, gigabytes):
        (self.folder / "log").mkdir(parents=True)
        (self.folder / "htpasswd").write_text(HTPASSWD)
        ports = {f"port_{face}": port for face, port in self.ports.items()}
        return write_config("cinder.conf", self.folder, state=self.folder, debug=False, host=self.host, nova=nova,
                            keystone=identity.url, service_token=SERVICE_TOKEN, quota_volumes=QUOTA["volumes"],
                            quota_gigabytes=QUOTA["gigabytes"], gigabytes=gigabytes, **ports)

    def __enter__(self):
        self.program.__enter__()
        self.program.await_(lambda: all(map(is_listening, self.ports.values())), 90, "listening")
        self.program.await_(lambda: self._pools() == {"file", "rigid"}, 60, "told by its back ends what they can do")
        return self

    def __exit__(self, *_):
        self.program.__exit__()

    def _pools(self):
        answer = talk.exchange(self.address("noauth"), "GET", f"/v3/{PROJECT}/scheduler-stats/get_pools",
                               proof("noauth", "admin", PROJECT))
        return {pool["name"].partition("#")[2] for pool in json.loads(answer.body)["pools"]}

    @property
    def words(self):
        """What only this one says: text -> what stands for it."""
        return {f"{self.folder}/volumes": "<folder>"}

    def address(self, auth):
        """http://host:port of the API where this is how one authenticates."""
        return f"http://127.0.0.1:{self.ports[auth]}"

    def wish(self, extend):
        """How the back ends extend from here on: see peers/file_volumes.py."""
        self.wishes.write_text(json.dumps({"extend": extend}))
