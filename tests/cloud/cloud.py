# SPDX-License-Identifier: Apache-2.0
"""The programs of a small cloud, wired as an operator would: one control plane with its back ends, and
hypervisors that each have a bus, an agent and a relay of their own. Volumes are files, attached as loop
devices of this machine."""

import contextlib
import datetime
import json
import os
import pathlib
import re
import secrets
import shutil
import sqlite3
import subprocess
import urllib.error
import urllib.request

from .process import Failed, Process, free_port, wait_until
from .proxy import Straight

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROJECT = "9f5d0f5cb4c94f19a2ed6b7f9a1f0b11"
TOKEN = f"admin:{PROJECT}"

# Accounts that every Debian has stand in for ours (base-passwd): dbus-daemon knows no others.
OPERATORS_GID, RELAY_UID, CONTROL_UID = 37, 13, 10

BUS_CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  {policy}
</busconfig>
"""


def write(path, text, mode=0o644, owner=None):
    """Writes a file; 0600 from the beginning where it is to hold a secret."""
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
    if owner is not None:
        os.chown(path, owner, owner)
    return path


def agent_policy():
    """Our bus policy, with the accounts of this machine."""
    text = (ROOT / "systemd/org.volgrow.Agent1.conf").read_text(encoding="utf-8")
    text = text.replace('group="volgrow"', f'group="{OPERATORS_GID}"')
    text = text.replace('user="volgrow-relay"', f'user="{RELAY_UID}"')
    return "\n".join(re.findall(r"<policy.*?</policy>", text, flags=re.S))


class Bus(Process):
    """A dbus-daemon in the system bus's place. It does not know sd_notify: its socket answers instead."""

    def __init__(self, directory):
        socket = pathlib.Path(directory) / "bus"
        configuration = write(pathlib.Path(directory) / "bus.conf",
                              BUS_CONFIGURATION.format(socket=socket, policy=agent_policy()))
        super().__init__("bus", ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--nopidfile"],
                         directory)
        self.socket = socket
        self.address = f"unix:path={socket}"

    def start(self):
        self.socket.unlink(missing_ok=True)
        self._spawn({})
        wait_until(self.socket.exists, 10, "the bus listens")
        return self


class Host:
    """A hypervisor: a bus, an agent, a relay."""

    def __init__(self, name, cloud):
        self.name = name
        self.directory = cloud.directory / name
        self.directory.mkdir(mode=0o711)
        self.cloud = cloud
        self.port = free_port()
        self.way_in = cloud.way_to(self.port)  # of events
        self.token = secrets.token_hex(16)  # what its reports are known by
        self.event_token = secrets.token_hex(16)
        self.bus = Bus(self.directory)
        agent = write(self.directory / "agent.toml",
                      f'[access]\ngroup = "{OPERATORS_GID}"\nrelay_user = "{RELAY_UID}"\n')
        self.agent = Process("agent", [
            cloud.programs / "volgrowd", "--config", agent, "--bus-address", self.bus.address,
            "--state-directory", self.directory / "state",
            "--runtime-directory", self.directory / "run"], self.directory)
        self.relay = Process("relay", [
            cloud.reachable / "volgrow-relay", "--config", self._relay_settings(),
            "--bus-address", self.bus.address], self.directory, user=RELAY_UID)

    def _relay_settings(self):
        events = write(self.directory / "event.token", self.event_token, 0o600, RELAY_UID)
        reports = write(self.directory / "report.token", self.token, 0o600, RELAY_UID)
        return write(self.directory / "relay.toml", f"""
[listen]
address = "127.0.0.1:{self.port}"
token_file = "{events}"
[control]
url = "http://127.0.0.1:{self.cloud.way_in.port}"
project = "{PROJECT}"
[reports]
token_file = "{reports}"
first_retry_ms = 50
slowest_retry_ms = 500
look_ms = 2000
[agent]
reconnect_ms = 100
""", 0o644)

    def receiver(self):
        """The entry of this host in control.toml."""
        token = write(self.directory / "receiver.token", self.event_token, 0o600, CONTROL_UID)
        return f'[[receiver]]\nhost = "{self.name}"\nurl = "http://127.0.0.1:{self.way_in.port}"\n' \
               f'token_file = "{token}"\n'

    def start(self):
        for process in (self.bus, self.agent, self.relay):
            process.start()

    def volgrow(self, *words, check=True):
        """The operator's command line on this host."""
        return subprocess.run(
            [self.cloud.programs / "volgrow", "--bus-address", self.bus.address, *words],
            capture_output=True, text=True, check=check, timeout=60)

    def register(self, volume_id, connection):
        """What the virt layer does at attach."""
        file = write(self.directory / "connection.json", json.dumps({**connection, "serial": volume_id}))
        self.volgrow("register", volume_id, "--connection", str(file))


class Cloud:
    """Everything beneath one directory, which must be reachable for other accounts.

    extra: sections of control.toml; api: keys of its [api]; nova: a URL that ends in /v2.1; way_to: Proxy where the
    connections between the programs are to be cut. Loop devices of its volumes end with it.
    """

    def __init__(self, directory, programs, hosts=("node1",), backends=None, extra="", nova=None, api="", way_to=Straight):
        self.directory = pathlib.Path(directory)
        self.programs = pathlib.Path(programs)
        self.directory.chmod(0o711)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.way_to = way_to
        self.way_in = way_to(self.port)  # of the relays: their questions and their reports
        self.reachable = self._for_other_accounts("volgrow-control", "volgrow-relay")
        self.nova, self.extra, self.api = nova, extra, api
        self.backends = backends or [{"name": "fast", "driver": "file"}]
        self.socket = self.directory / "backend.sock"
        self.hosts = {name: Host(name, self) for name in hosts}
        settings = self._settings()
        self.backend = Process("backend", [
            self.programs / "volgrow-backend", "--config", settings, "--socket", self.socket], self.directory)
        self.control = Process("control", [self.reachable / "volgrow-control", "--config", settings],
                               self.directory, user=CONTROL_UID)

    def _for_other_accounts(self, *names):
        """Copies of programs that do not run as root: the tree they were built in may be root's alone."""
        folder = self.directory / "bin"
        folder.mkdir(mode=0o755)
        for name in names:
            shutil.copy(self.programs / name, folder / name)
        return folder

    def _settings(self):
        database = self.directory / "database"
        database.mkdir()
        os.chown(database, CONTROL_UID, CONTROL_UID)
        tokens = write(self.directory / "report.tokens",
                       "".join(f"{host.name}:{host.token}\n" for host in self.hosts.values()), 0o600,
                       CONTROL_UID)
        text = f"""
[api]
listen = "127.0.0.1:{self.port}"
host = "cloud"
{self.api}
[database]
url = "sqlite:///{database}/control.sqlite"
[reports]
tokens_file = "{tokens}"
[backend_helper]
socket = "{self.socket}"
user = "{CONTROL_UID}"
"""
        if self.nova:
            text += f'[nova]\nendpoint = "{self.nova}"\n'
        for back_end in self.backends:
            path = self.directory / "volumes" / back_end["name"]
            path.mkdir(parents=True, mode=0o700)
            text += f'[[backend]]\npath = "{path}"\n'
            text += "".join(f"{key} = {json.dumps(value)}\n" for key, value in back_end.items())
        text += "".join(host.receiver() for host in self.hosts.values())
        return write(self.directory / "control.toml", text + self.extra)

    def processes(self):
        """All of them, in the order in which they start."""
        yield from (self.backend, self.control)
        for host in self.hosts.values():
            yield from (host.bus, host.agent, host.relay)

    def start(self):
        self.backend.start()
        self.control.start()
        for host in self.hosts.values():
            host.start()
        return self

    def stop(self):
        for process in reversed(list(self.processes())):
            process.kill()
        for way in (self.way_in, *(host.way_in for host in self.hosts.values())):
            way.close()
        self._detach_loops()

    def _detach_loops(self):
        """Of files beneath the directory, which is about to go."""
        listing = subprocess.run(["losetup", "--json", "--list", "--output", "NAME,BACK-FILE"], capture_output=True,
                                 text=True, check=True).stdout
        for device in json.loads(listing or '{"loopdevices": []}')["loopdevices"]:
            if (device["back-file"] or "").startswith(f"{self.directory}/"):
                subprocess.run(["losetup", "--detach", device["name"]], check=False)

    def query(self, statement, *bound):
        """One number of control's database."""
        return query(self.directory / "database/control.sqlite", statement, *bound)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    # ---- the API, as a client without a library ----

    def ask(self, method, path, body=None, version="3.71", token=TOKEN):
        """(status, body) of one request; an answer without a body is None."""
        request = urllib.request.Request(
            self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"X-Auth-Token": token, "Content-Type": "application/json",
                     "OpenStack-API-Version": f"volume {version}"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, _decoded(answer.read())
        except urllib.error.HTTPError as refused:
            return refused.code, _decoded(refused.read())

    def get(self, method, path, body=None, **named):
        """The body of a request that must be granted."""
        status, answer = self.ask(method, path, body, **named)
        if status >= 300:
            raise Failed(f"{method} {path}: {status} {answer}")
        return answer

    def volume(self, volume_id):
        return self.get("GET", f"/v3/{PROJECT}/volumes/{volume_id}")["volume"]

    def extension(self, volume_id):
        return self.get("GET", f"/volgrow/v1/volumes/{volume_id}/extension")

    def create(self, size=1, **members):
        """A volume that is available."""
        made = self.get("POST", f"/v3/{PROJECT}/volumes", {"volume": {"size": size, **members}})["volume"]
        self.wait_for_status(made["id"], "available")
        return made["id"]

    def attach(self, volume_id, host, instance):
        """Through the attachments API, as Nova does; the virt layer's part included. Its device."""
        connection = dict(self.reserve(volume_id, host, instance)["connection_info"])
        kind = connection.pop("driver_volume_type")
        if host in self.hosts:
            self.hosts[host].register(volume_id, {"driver_volume_type": kind, "data": connection})
        return connection.get("device_path")

    def reserve(self, volume_id, host, instance):
        """Nova's part of an attachment, from its connector to os-complete. The attachment."""
        asked = {"volume_uuid": volume_id, "instance_uuid": instance,
                 "connector": {"host": host, "ip": "127.0.0.1", "initiator": f"iqn.1993-08.org.debian:{host}",
                               "mountpoint": "/dev/vdb", "multipath": False}}
        made = self.get("POST", f"/v3/{PROJECT}/attachments", {"attachment": asked}, version="3.54")["attachment"]
        self.get("POST", f"/v3/{PROJECT}/attachments/{made['id']}/action", {"os-complete": {}}, version="3.54")
        return made

    def extend(self, volume_id, size, version="3.42"):
        """(status, body) of os-extend."""
        return self.ask("POST", f"/v3/{PROJECT}/volumes/{volume_id}/action",
                        {"os-extend": {"new_size": size}}, version=version)

    def wait_for_status(self, volume_id, status, limit_s=30):
        """Until the volume has it; an error status ends the wait."""
        def reached():
            now = self.volume(volume_id)["status"]
            if now.startswith("error") and now != status:
                raise Failed(f"volume {volume_id} is {now}")
            return now == status
        wait_until(reached, limit_s, f"volume {volume_id} is {status}")

    def wait_for_hosts(self, volume_id, state, limit_s=30):
        """Until every attachment has it. The extension as it is then."""
        def reached():
            extension = self.extension(volume_id)
            states = [one["state"] for one in extension["attachments"]]
            return extension if states and all(one == state for one in states) else None
        return wait_until(reached, limit_s, f"every attachment of {volume_id} is {state}")


def _decoded(body):
    return json.loads(body) if body else None


def query(database, statement, *bound):
    """One number of a database that a program has open."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(statement, bound).fetchone()[0]


def moment(text):
    """Seconds since the epoch of what the API says."""
    return datetime.datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=datetime.timezone.utc).timestamp()


def device_bytes(device):
    """BLKGETSIZE64, asked by somebody else's tool."""
    return int(subprocess.run(["blockdev", "--getsize64", device], capture_output=True, text=True,
                              check=True).stdout)
