#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A map with no path left, whose I/O waits: what a resize does to it, and that waiting I/O survives without one.
# lab: limit=300 quick=no
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

map=$(map_of first)
wwid=$(wwid_of first)

read_one() {
  dd if="/dev/$map" of=/dev/null bs=4k count=1 iflag=direct status=none
}

cut_portal 127.0.0.1
cut_portal 127.0.0.2
need await_dead "$(disk_of pair 127.0.0.1 0)"
need await_dead "$(disk_of pair 127.0.0.2 0)"
need await_map first 0
read_one &
reader=$!
resize_volume first 2G
before=$(dmsetup table "$wwid")
same "all paths down: 'resize map' answers ok" ok "$(multipathd resize map "$wwid")"
same "and nothing changed" "$before" "$(dmsetup table "$wwid")"
milliseconds device_size "$map" >/dev/null
check "asking the map for its size does not wait" test "$elapsed_ms" -lt 3000
check "I/O waits for a path" kill -0 "$reader"

heal_portal 127.0.0.1
heal_portal 127.0.0.2
check "the paths come back by themselves" await_map first 2
await 30 test ! -e "/proc/$reader"
wait "$reader"
same "I/O that waited has completed" 0 $?
finish
