# SPDX-License-Identifier: Apache-2.0
"""Who asks: projects, users and what proves them, the same for every service. A token is USER:PROJECT."""

import base64

PROJECT = "1d7f5f0c2b6a4c0e9a3e8b7d6c5f4a3b"
OTHER_PROJECT = "ffffffff2b6a4c0e9a3e8b7d6c5f4a3b"
ROLES = {"admin": ("admin", "member", "reader"), "nova": ("service", "admin"), "reader": ("reader",)}
SERVICE_TOKEN = f"admin:{PROJECT}"  # with noauth2 Nova takes events from a user of this name only

# bcrypt of PASSWORDS with the lowest cost there is, as `htpasswd -B -C 4` writes it
PASSWORDS = {"admin": "secret", "demo": "demo"}
HTPASSWD = ("admin:$2b$04$XNAzasc/QCAIr3Z8nWdNwubNAfGcJXN6RvpMH3m6HJCMUudvVBFnm\n"
            "demo:$2b$04$n0DJLi8.jmeDFe5LxRlt/uOCfKQEwH5Cif6GSq.tZc9YM0NRnWAeO\n")


def roles_of(user):
    return ROLES.get(user, ("member", "reader"))


def proof(auth, user, project):
    """The headers with which somebody is known; none for nobody."""
    if user is None:
        return {}
    if auth == "http_basic":
        pair = f"{user}:{PASSWORDS.get(user, 'wrong')}"
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    return {"X-Auth-Token": f"{user}:{project}"}
