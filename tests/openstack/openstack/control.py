# SPDX-License-Identifier: Apache-2.0
"""This tree's volgrow-control, one process for each way to authenticate, and its volgrow-backend."""

from contextlib import ExitStack
from urllib.parse import urlsplit

from openstack.cinder import QUOTA
from openstack.people import HTPASSWD, SERVICE_TOKEN
from openstack.process import ROOT, CannotRun, Program, free_ports, is_listening

CONFIG = """\
[api]
listen = "127.0.0.1:{port}"
auth = "{auth}"
{auth_keys}
capability_check = "scheduler"
host = "{host}"

[database]
url = "sqlite:///{folder}/control.sqlite"

[nova]
endpoint = "{nova}"
token_file = "{folder}/token"

[events]
most_attempts = 1

[quota]
volumes = {volumes}
gigabytes = {gigabytes}

[backend_helper]
socket = "{folder}/backend.sock"
user = "0"

[[backend]]
name = "file"
driver = "file"
path = "{folder}/file"
in_use_extend = true

[[backend]]
name = "rigid"
driver = "file"
path = "{folder}/rigid"
in_use_extend = false
"""


class VolgrowControl:
    """Use as `with VolgrowControl(folder, preset, nova) as control`. A process starts when its address is asked for."""

    name = "volgrow-control"
    host = "storage"

    def __init__(self, folder, preset, nova):
        """preset: whose programs; nova: a URL that ends in /v2.1."""
        self.folder, self.nova = folder, nova
        self.programs = {name: ROOT / "build" / preset / "bin" / name for name in ("volgrow-control", "volgrow-backend")}
        for program in self.programs.values():
            if not program.exists():
                raise CannotRun(f"{program.relative_to(ROOT)} is not built")
        self.ports, self.running = {}, ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.running.close()

    @property
    def words(self):
        """What only this one says: text -> what stands for it."""
        return {f"{self.folder}/{auth}/{name}": "<folder>" for auth in self.ports for name in ("file", "rigid")}

    def address(self, auth):
        if auth == "keystone":
            raise CannotRun("volgrow-control has no auth = keystone")
        if auth not in self.ports:
            self.ports[auth] = self._start(auth)
        return f"http://127.0.0.1:{self.ports[auth]}"

    def _start(self, auth):
        folder, (port,) = self.folder / auth, free_ports(1)
        for name in ("file", "rigid"):
            (folder / name).mkdir(parents=True)
        for name, content in (("token", SERVICE_TOKEN), ("htpasswd", HTPASSWD)):
            (folder / name).write_text(content)
            (folder / name).chmod(0o600)
        keys = f'htpasswd_file = "{folder}/htpasswd"' if auth == "http_basic" else ""
        config = folder / "control.toml"
        config.write_text(CONFIG.format(port=port, auth=auth, auth_keys=keys, host=self.host, folder=folder,
                                        nova=self.nova, **QUOTA))
        backend = self._run("volgrow-backend", config)
        backend.await_((folder / "backend.sock").exists, 10, "listening")
        control = self._run("volgrow-control", config)
        control.await_(lambda: is_listening(port), 10, "listening")
        return port

    def _run(self, name, config):
        program = Program([self.programs[name], "--config", config], config.parent / f"{name}.output")
        return self.running.enter_context(program)


class RunningService:
    """Somebody else's process that serves Cinder's API with noauth."""

    def __init__(self, url):
        self.name, self.words = url, {}
        self.base = "{0.scheme}://{0.netloc}".format(urlsplit(url))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def address(self, auth):
        if auth != "noauth":
            raise CannotRun(f"{self.name} is asked with noauth only")
        return self.base
