# SPDX-License-Identifier: Apache-2.0
"""HTTP as it is on the wire: nothing is added to a request that was not asked for, nothing is followed."""

import http.client
from dataclasses import dataclass
from urllib.parse import urlsplit

from openstack.process import Broken


@dataclass(frozen=True)
class Answer:
    status: int
    headers: tuple  # of (name, value), as they came
    body: bytes


def exchange(address, method, target, headers, body=None, limit=60):
    """headers that are None are left out; "Host" may be given."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=limit)
    try:
        connection.putrequest(method, target, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in headers.items():
            if value is not None:
                connection.putheader(name, value.encode("latin-1"))
        if body is not None or method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(body or b"")))
        connection.endheaders(body)
        answer = connection.getresponse()
        return Answer(answer.status, tuple(answer.getheaders()), answer.read())
    except (OSError, http.client.HTTPException) as trouble:
        raise Broken(f"no answer to {method} {target}: {trouble!r}") from trouble
    finally:
        connection.close()
