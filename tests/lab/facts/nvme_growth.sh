#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How the kernel comes to a namespace's new size: by a rescan of a controller, which only queues work, or by the
# target's announcement; what follows, what does not, and what is told of it.
# lab: state=nvme limit=240 quick=no
# shellcheck source=tests/lab/lib-nvme.sh
source "${LAB_LIB%.sh}-nvme.sh"

head=$(namespace_of first)
one=$(path_of first nvme0)
two=$(path_of first nvme1)
gib=$((1 << 30))

# sizes: of both paths and the head, as the kernel shows them.
sizes() {
  echo "$(kernel_size "$one") $(kernel_size "$two") $(kernel_size "$head")"
}

hidden_disks() {
  same "a path is a hidden disk" "1 1 0" \
    "$(<"/sys/block/$one/hidden") $(<"/sys/block/$two/hidden") $(<"/sys/block/$head/hidden")"
  check "it has no device number" not test -e "/sys/block/$one/dev"
  check "and no node" not test -e "/dev/$one"
  same "but a sequence of its own" 3 \
    "$(sort --unique --numeric-sort "/sys/block/$one/diskseq" "/sys/block/$two/diskseq" "/sys/block/$head/diskseq" | wc --lines)"
  same "nothing holds it: what is above it is not in holders/" "" "$(ls "/sys/block/$one/holders")"
}

silent_growth() {
  need silence "$storage"
  watch_events
  grow_namespace first 2G
  same "the target itself says the new size" $((2 * gib)) "$(namespace_size nvme0 1)"
  same "Identify as passthrough does not make the kernel look" "$gib $gib $gib" "$(sizes)"
}

rescan_of_one() {
  milliseconds rescan_controller nvme0
  measured "the write to rescan_controller took $elapsed_ms ms"
  milliseconds check "the path of a rescanned controller follows" await 10 shows_size "$one" 2G
  check "and the head with it" await 10 shows_size "$head" 2G
  measured "path and head followed $elapsed_ms ms after the write"
  same "a path of another controller keeps its size" "$gib" "$(kernel_size "$two")"
  same "the head's growth is told with RESIZE=1" 1 "$(events_of "$head" RESIZE=1)"
}

rescan_of_the_other() {
  rescan_controller nvme1
  check "its own rescan takes it over" await 10 shows_size "$two" 2G
  same "no event is told of a hidden disk" 0 "$(events | grep --count --extended-regexp "/($one|$two) ")"
  stop_watching
}

# A sibling of another size is not ready, which nothing in sysfs shows: I/O goes through the other.
siblings_differ() {
  grow_namespace first 3G
  rescan_controller nvme0
  check "one path is larger than the other" await 10 shows_size "$one" 3G
  same "the controllers are both live" "live live" "$(cat /sys/class/nvme/nvme{0,1}/state | tr '\n' ' ' | sed 's/ $//')"
  check "the last gibibyte can be read" dd if="/dev/$head" of=/dev/null bs=1M count=1 skip=3000 iflag=direct
}

announced() {
  rescan_controller nvme1
  check "both paths agree again" await 10 shows_size "$two" 3G
  # Listening again: namespace attributes (bit 8) and asymmetric access (bit 11).
  nvme set-feature /dev/nvme0 --feature-id=0x0b --value=0x900 >/dev/null
  nvme set-feature /dev/nvme1 --feature-id=0x0b --value=0x900 >/dev/null
  grow_namespace first 4G
  milliseconds announce "$storage" 1
  milliseconds check "an announced growth is followed on every path, by itself" await 10 follows 4G
  measured "announcement to all sizes $elapsed_ms ms"
  grow_namespace first 5G
  same "an Identify makes nvmet look at its volume" $((5 * gib)) "$(namespace_size nvme0 1)"
  check "and announce what it found, to every controller" await 10 follows 5G
}

follows() {
  shows_size "$one" "$1" && shows_size "$two" "$1" && shows_size "$head" "$1"
}

hidden_disks
silent_growth
rescan_of_one
rescan_of_the_other
siblings_differ
announced
finish
