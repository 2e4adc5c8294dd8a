#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Not on loopback: passwords (http_basic) over TLS, with the clients' own options for both. Who has no password, the
wrong one, or trusts another authority gets nothing, and the password is nowhere in what was logged."""

import os
import pathlib
import subprocess
import tempfile

from scenario import CONTROL_UID, PROJECT, Clients, cloud, expect, field, main, require, say, wait_until, write

PASSWORD = "secret"
HTPASSWD = "admin:$2b$04$XNAzasc/QCAIr3Z8nWdNwubNAfGcJXN6RvpMH3m6HJCMUudvVBFnm\n"  # bcrypt of it, at the lowest cost


class Guarded(Clients):
    """With a password and an authority to trust."""

    def __init__(self, made, authority, password=PASSWORD):
        super().__init__(made)
        self.authority, self.password = authority, password

    def options(self, program):
        project = ["--os-project-id", PROJECT] if program == "cinder" else []  # which it wants from everybody
        return [*project, "--os-auth-type", "http_basic", "--os-username", "admin", "--os-password", self.password,
                "--os-endpoint", f"{self.cloud.url.replace('http:', 'https:')}/v3/{PROJECT}", "--os-cacert", str(self.authority)]


def story():
    require("cinder", "openstack", "openssl")
    with tempfile.TemporaryDirectory(prefix="volgrow-certificates.") as directory:
        folder = pathlib.Path(directory)
        folder.chmod(0o755)
        for name in ("ours", "other"):
            certificate(folder, name)
        write(folder / "htpasswd", HTPASSWD, 0o600, CONTROL_UID)
        keys = f'auth = "http_basic"\nhtpasswd_file = "{folder}/htpasswd"\n' \
               f'certificate = "{folder}/ours.pem"\nkey = "{folder}/ours.key"\n'
        with cloud(hosts=(), api=keys) as made:
            grow(made, folder)


def grow(made, folder):
    say("with password and authority")
    clients = Guarded(made, folder / "ours.pem")
    volume = field(clients.cinder("create", "1", "--name", "guarded").stdout, "id")
    becomes_available(clients, volume)
    clients.openstack("volume", "set", "--size", "2", volume)
    becomes_available(clients, volume)
    expect("size", field(clients.cinder("show", volume).stdout, "size"), "2")

    say("without")
    for what, other, words in (("wrong password", Guarded(made, folder / "ours.pem", "guess"), "401"),
                               ("authority that is not trusted", Guarded(made, folder / "other.pem"), "SSL")):
        refused = other.cinder("show", volume, check=False)
        expect(f"{what}: exit status", refused.returncode, 1)
        expect(f"{what}: {words} in what cinder says", words in refused.stderr, True)
    expect("password in the log of volgrow-control", PASSWORD in made.control.words(), False)


def becomes_available(clients, volume):
    wait_until(lambda: field(clients.cinder("show", volume).stdout, "status") == "available", 60, "available")


def certificate(folder, name):
    """Of 127.0.0.1, its own authority, for a day."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / f"{name}.key",
                    "-out", folder / f"{name}.pem"], check=True, capture_output=True)
    os.chown(folder / f"{name}.key", CONTROL_UID, CONTROL_UID)


if __name__ == "__main__":
    main(story)
