# SPDX-License-Identifier: Apache-2.0
"""The bus interface in dbus/*.xml keeps what CONTRACT promised. The comparison of the XML with the
running daemon's introspection is a bus test."""

from xml.etree import ElementTree

from tables import CONTRACT


def bus_contract(tree):
    interfaces = {}
    for file in tree.named("*.xml"):
        if file.parts[0] == "dbus":
            for interface in ElementTree.parse(tree.root / file).iter("interface"):
                interfaces[interface.get("name")] = _members(interface)
    return [finding for name, promised in CONTRACT.items()
            for finding in _compare(name, promised, interfaces.get(name))]


def _members(interface):
    """Methods, signals and properties by name, in the shape of CONTRACT."""
    return {
        "methods": {m.get("name"): (_signature(m, "in"), _signature(m, "out"))
                    for m in interface.iter("method")},
        "signals": {s.get("name"): _signature(s, None) for s in interface.iter("signal")},
        "properties": {p.get("name"): p.get("type") for p in interface.iter("property")},
    }


def _signature(member, direction):
    return "".join(arg.get("type") for arg in member.iter("arg")
                   if direction is None or arg.get("direction", "in") == direction)


def _compare(name, promised, found):
    if found is None:
        yield f"dbus/: no XML describes {name}"
        return
    for kind, members in promised.items():
        for member, signature in members.items():
            if found[kind].get(member) != signature:
                yield (f"dbus/: {name}.{member} is {found[kind].get(member)}, "
                       f"promised {signature} ({kind})")
