# SPDX-License-Identifier: Apache-2.0
"""Who plays Cinder, and a real Nova that knows the instances its volumes are attached to."""

from contextlib import ExitStack

from openstack.cleaning import clean
from openstack.nova import RealNova, url_at
from openstack.player import Player
from openstack.process import Broken, await_, free_ports
from openstack.receiver import Receiver
from openstack.steps import (CONNECTOR, INSTANCE, SECOND_INSTANCE, THIRD_INSTANCE, Settles, attach, extend, flatten, show, volume,
                             volume_type)

GIB = 1 << 30
UNKNOWN_INSTANCE = "bbbbbbbb-0000-4000-8000-000000000001"


class Together:
    """Use as `with Together(folder, make_side) as together`; make_side(nova's url) gives a side.

    Volumes: one, of an instance; shared, of two; homeless, of an instance that is on no host; strange, of an
    instance that Nova does not know.
    """

    def __init__(self, folder, make_side):
        self.folder, self.make_side, self.running = folder, make_side, ExitStack()
        self.player = self.nova = None

    def __enter__(self):
        with self.running as running:
            self._begin(running)
            self.running = running.pop_all()
        return self

    def __exit__(self, *_):
        self.running.close()

    def _begin(self, running):
        (port,) = free_ports(1)
        side = running.enter_context(self.make_side(url_at(port)))
        self.player = Player(side, running.enter_context(Receiver()), "noauth")
        running.callback(clean, self.player)  # a loop device that is attached outlives everybody
        self.play(
            volume_type("many", "t", multiattach="<is> True"), volume("one"), attach("one", "a"),
            volume("shared", volume_type="many"), attach("shared", "b"),
            attach("shared", "c", SECOND_INSTANCE, {**CONNECTOR, "host": "elsewhere"}),
            volume("homeless"), attach("homeless", "d", THIRD_INSTANCE), volume("strange"), attach("strange", "e", UNKNOWN_INSTANCE))
        kept = self.player.kept
        self.nova = running.enter_context(RealNova(self.folder / "nova", side.address("noauth") + "/v3", {
            INSTANCE: (RealNova.host, [kept["one"], kept["shared"]]), SECOND_INSTANCE: (RealNova.host, [kept["shared"]]),
            THIRD_INSTANCE: ("", [kept["homeless"]])}, port))

    def play(self, *steps):
        """What the player saw last."""
        return [self.player.play(step) for step in flatten(steps)][-1]

    def grown(self, name, size):
        """The volume as the API shows it when its extend is over."""
        return self.play(extend(name, size), Settles(name), show(name))["body"]["volume"]

    def told(self, name, number):
        """What compute was told of a volume, once it was so many things: (instance, bytes)."""
        def all_of_it():
            return [(one["instance"], one["bytes"]) for one in self.nova.extended() if one["volume"] == self.player.kept[name]]
        try:
            await_(lambda: len(all_of_it()) >= number, 10, "told")
        except Broken:
            pass  # seen in what there is
        return sorted(all_of_it())


def wrong(found, expected):
    return [] if found == expected else [f"found {found}, expected {expected}"]


def is_in_use(volume_shown, size):
    return wrong({key: volume_shown[key] for key in ("status", "size")}, {"status": "in-use", "size": size})


def compute_learns_the_size(together):
    """compute is told to extend to the new size"""
    shown = together.grown("one", 3)
    return is_in_use(shown, 3) + wrong(together.told("one", 1), [(INSTANCE, 3 * GIB)])


def every_instance_is_told(together):
    """each instance of a shared volume is told"""
    shown = together.grown("shared", 2)
    return is_in_use(shown, 2) + wrong(together.told("shared", 2), [(INSTANCE, 2 * GIB), (SECOND_INSTANCE, 2 * GIB)])


def an_instance_without_host_is_no_harm(together):
    """an instance that is on no host keeps nothing from growing"""
    return is_in_use(together.grown("homeless", 2), 2) + wrong(together.told("homeless", 0), [])


def an_unknown_instance_is_no_harm(together):
    """an instance that Nova does not know keeps nothing from growing"""
    return is_in_use(together.grown("strange", 2), 2) + wrong(together.told("strange", 0), [])


def compute_may_fail(together):
    """a compute that fails to extend keeps nothing from growing, then or later"""
    together.nova.wish("fail")
    failed = is_in_use(together.grown("one", 4), 4)
    together.nova.wish("ok")
    return failed + is_in_use(together.grown("one", 5), 5) + wrong(together.told("one", 3)[-1:], [(INSTANCE, 5 * GIB)])


CHECKS = (compute_learns_the_size, every_instance_is_told, an_instance_without_host_is_no_harm, an_unknown_instance_is_no_harm,
          compute_may_fail)
