# SPDX-License-Identifier: Apache-2.0
"""As much of Keystone v3 as services and clients need: every password is right, and a token is USER:PROJECT."""

import json

from openstack.people import roles_of
from openstack.served import Answering, Service


class Identity(Service):
    """Use as `with Identity(type=URL, …) as identity`: what services there are; "{project}" in a URL is the token's."""

    def __init__(self, **services):
        super().__init__(Keystone)
        self.url = self.address + "/v3"
        self.catalogue = {"identity": self.url, "image": self.address + "/image", **services}


def named(name):
    return {"id": name, "name": name}


def token(name, catalogue):
    user, _, project = name.partition(":")
    domain = {"domain": {"id": "default", "name": "Default"}}
    return {"token": {
        "methods": ["password"], "audit_ids": ["any"], "roles": [named(role) for role in roles_of(user)],
        "user": {**named(user), **domain}, "project": {**named(project), **domain},
        "issued_at": "2026-01-01T00:00:00.000000Z", "expires_at": "2199-01-01T00:00:00.000000Z",
        "catalog": [service(kind, url.replace("{project}", project)) for kind, url in catalogue.items()]}}


def service(kind, url):
    return {"id": kind, "type": kind, "name": kind, "endpoints": [
        {"id": f"{kind}-{interface}", "interface": interface, "region": "RegionOne", "region_id": "RegionOne",
         "url": url} for interface in ("public", "internal", "admin")]}


class Keystone(Answering):
    def do_GET(self):
        if self.path == "/v3/auth/tokens":
            return self._validate(self.headers.get("X-Subject-Token", ""))
        if self.path.rstrip("/") == "/v3":
            return self.answer(200, {"version": self._version()})
        if self.path.startswith("/image"):  # clients look for it before they create a volume
            self_link = {"rel": "self", "href": self.service.address + "/image/v2/"}
            return self.answer(300, {"versions": [{"id": "v2.15", "status": "CURRENT", "links": [self_link]}]})
        if self.path == "/":
            return self.answer(300, {"versions": {"values": [self._version()]}})
        return self._refuse(404, "Not Found", self.path)

    do_HEAD = do_GET

    def do_POST(self):
        asked = json.loads(self.read_body())["auth"]
        identity = asked["identity"]
        if "token" in identity["methods"]:
            name = identity["token"]["id"]
        else:
            name = identity["password"]["user"].get("name") or identity["password"]["user"]["id"]
        if ":" not in name:
            project = asked.get("scope", {}).get("project", {})
            name += ":" + (project.get("id") or project.get("name") or "")
        self.answer(201, token(name, self.service.catalogue), X_Subject_Token=name)

    def _validate(self, name):
        if ":" not in name:
            return self._refuse(404, "Not Found", "Could not find token.")
        return self.answer(200, token(name, self.service.catalogue))

    def _refuse(self, status, title, message):
        self.answer(status, {"error": {"code": status, "title": title, "message": message}})

    def _version(self):
        return {"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
                "links": [{"rel": "self", "href": self.service.url + "/"}], "media-types": []}
