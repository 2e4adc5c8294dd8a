# SPDX-License-Identifier: Apache-2.0
"""Where volgrow-control may answer otherwise than Cinder, and why. What no longer differs must leave the table."""

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Accepted:
    """case, step and place are patterns (* ? […]) of a difference."""

    why: str
    case: str = "*"
    step: str = "*"
    place: str = "*"

    def covers(self, difference):
        return (matches(difference.case, self.case) and matches(difference.step, self.step) and
                matches(difference.place, self.place))


def matches(text, pattern):
    """As in a shell, but brackets are themselves: places have them."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))


NEWER = "3.71 is served, with os-extend_volume_completion; Debian's Cinder ends at 3.70"
DISCOVERY = "a client looks for versions before it has a token: /v3 and /v3/ ask for none"
FAILS = "Cinder fails here with a 500; the client's mistake is a 400"
TYPES = "Cinder fails whatever type it is asked for; the pools that fit the type are shown"
READINGS = "a body that can be read in two ways, or that is no JSON by RFC 8259, is refused before anybody believes it"
DEVICE = "which device a volume is on its host: a loop device here, a file there"
MEASURED = "what two back ends say of themselves that are not the same program"
UNTOLD = "an instance that Nova does not know was not told that its volume grew, so its user is told"

VERSIONS = "the versions are told to everyone"
MICROVERSIONS = "the microversion header is read in all its forms"
BODIES = "a body that is no JSON object is refused"
PASSWORD = "http_basic: a password is asked for"
POOLS = "pools are shown"

# (case, step) of what is a 500 to Cinder
FAILING = ((MICROVERSIONS, "* ('volume')"), (MICROVERSIONS, "* ('volume 3.27 extra')"), (BODIES, "POST /volumes  ('')"),
           ("a body nested without end is refused", "*"), ("a volume's name and description are changed", "PUT /volumes/{v} "),
           ("a limit of 'abc' of the type", "POST /volumes {*"), ("a limit of '3.5' of the type", "POST /volumes {*"))
CAPABILITIES = ("driver_version", "free_capacity_gb", "storage_protocol", "thick_provisioning_support", "thin_provisioning_support",
                "total_capacity_gb", "QoS_support", "backend_state", "driver", "in-use-extend", "max_over_subscription_ratio")

ACCEPTED = (
    Accepted(NEWER, place="body.versions[?].version"),
    Accepted(NEWER, case=VERSIONS, step="GET / at 9.9 as None", place="body.computeFault.message"),
    Accepted(NEWER, case=MICROVERSIONS, step="* ('volume ?.*0')", place="body.computeFault.message"),
    Accepted(NEWER, case=MICROVERSIONS, step="* ('volume latest')", place="headers.openstack-api-version"),
    Accepted(NEWER, case="the newest microversion is announced and refused beyond"),
    Accepted(NEWER, case="3.71 finishes an extend that waits", step="* at 3.71"),
    Accepted("an action of a later microversion is not there, as to a Cinder that has it; Debian's does not know it",
             case="3.71 finishes an extend that waits", step="* at 3.70"),

    Accepted(DISCOVERY, case="without a token noauth hands one out", step="GET /v3*"),
    Accepted(DISCOVERY, case=PASSWORD, step="GET /v3*"),
    Accepted("RFC 9110 wants it beside a 401, and some clients send no password before they see it",
             case=PASSWORD, place="headers.www-authenticate"),
    Accepted("every link leads to where the client came from, also from behind a proxy; in Cinder this one does not",
             case=VERSIONS, step="*X-Forwarded-Host*", place="body.versions[?].links[1].href"),
    Accepted("Cinder shows the bytes of a URL as Latin-1", case="an URL that is none is not found", step="GET /volumes/%C3%A4",
             place="body.itemNotFound.message"),

    *(Accepted(FAILS, case, step, place) for case, step in FAILING for place in ("status", "body.*")),
    *(Accepted(READINGS, BODIES, step, "body.badRequest.message") for step in (
        "* ('{\"volume\": NaN}')", '*"size":1},"volume":*', "*ud800*", '*"new_size":3},"os-extend":*')),
    Accepted(READINGS, "os-extend refuses what is no extend", '*"new_size":1,"new_size":2*', "body.badRequest.message"),
    Accepted("numbers have 64 bits; a larger one is refused all the same, in other words",
             "os-extend refuses what is no size", "*100000000000000000000*", "body.badRequest.message"),

    Accepted("an administrator may detach what Nova uses, which is how a lost host is cleaned up after; members may not",
             case="a volume that Nova uses is detached with *"),
    Accepted("it is not offered, and a 501 says so", case="what is not offered is said to be so"),

    Accepted(DEVICE, place="body.*device_path"),
    Accepted(DEVICE, "cinder attaches", "cinder attachment-update *", "printed*"),
    Accepted("whether a volume is read-only is said once it was set; Cinder writes it into the metadata of what it detaches",
             place="body.volume.metadata.readonly"),
    Accepted("an export is for a host, and ends by its name: a connector without one is refused",
             "os-initialize_connection wants a connector", '*{"connector": "x"}*'),
    *(Accepted(UNTOLD, f"Nova answers an event with {answer}", "GET /messages*", "body.messages[0]")
      for answer in ("207 of 404", "207 of 422", "an empty list")),

    *(Accepted(MEASURED, POOLS, place=f"body.pools[?].capabilities.{key}") for key in CAPABILITIES),
    Accepted("Cinder counts what it gave out; what a back end has left is measured here", POOLS,
             place="body.pools[?].capabilities.allocated_capacity_gb"),
    *(Accepted(TYPES, case, "*volume_type=*", place) for case in (POOLS, "pools are found by a type") for place in ("status", "body.*")),
)
