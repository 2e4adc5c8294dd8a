#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A map of two paths: unequal, dead and returning members, and what multipathd answers.
# lab: limit=300 quick=no
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

map=$(map_of first)
wwid=$(wwid_of first)
gib=$((1 << 30))

# Which of the paths comes first in the map is left to the order in which they were found.
number_paths() {
  local first
  first=$(dmsetup table "$wwid" | grep --only-matching --extended-regexp '[0-9]+:[0-9]+' | head --lines=1)
  a=$(basename "$(readlink "/sys/dev/block/$first")")
  b=$(members_of first | grep --invert-match --line-regexp "$a")
  portal_of_b=127.0.0.1
  [[ $b == "$(disk_of pair 127.0.0.1 0)" ]] || portal_of_b=127.0.0.2
  measured "the map's table names $a first, then $b at $portal_of_b"
}

resize() {
  multipathd resize map "$wwid"
}

grown() {
  watch_events
  resize_volume first 2G
  rescan "$a"
  rescan "$b"
  same "paths that grew do not make the map grow" "$gib" "$(kernel_size "$map")"
  milliseconds resize >/tmp/reply
  same "'resize map' answers ok" ok "$(cat /tmp/reply)"
  map_sized "the map has the size of its paths" 2G first
  same "it is announced with RESIZE=1" 1 "$(events_of "$map" RESIZE=1)"
  measured "multipathd resize map, a process and its answer: $elapsed_ms ms"
  stop_watching
  same "'resize map' of a map that has its size answers ok" ok "$(resize)"
}

# multipathd compares the map with its first path and with no other.
unequal() {
  resize_volume first 3G
  rescan "$b"
  same "unequal, the first path old: 'resize map' answers ok" ok "$(resize)"
  same "and has done nothing" $((2 * gib)) "$(kernel_size "$map")"
  rescan "$a"
  same "equal: ok" ok "$(resize)"
  map_sized "and the map has grown" 3G first

  resize_volume first 4G
  rescan "$a"
  dmesg --clear
  same "unequal, the first path new: 'resize map' answers fail" fail "$(resize)"
  same "the map keeps its size" $((3 * gib)) "$(kernel_size "$map")"
  matches "the kernel refuses a table longer than a member" "$b too small for target" "$(dmesg)"
  rescan "$b"
  same "equal again: ok" ok "$(resize)"
}

dead_member() {
  cut_portal "$portal_of_b"
  resize_volume first 5G
  need await_dead "$b"
  rescan "$a"
  same "a dead member that is smaller blocks the map" fail "$(resize)"
  check "which goes on serving" dd if="/dev/$map" of=/dev/null bs=4k count=1 iflag=direct status=none
  same "'del path' answers ok" ok "$(multipathd del path "$b")"
  need await 20 is_member_no_more
  same "without it 'resize map' answers ok" ok "$(resize)"
  map_sized "the map has grown on one path" 5G first
}

is_member_no_more() {
  [[ $(members_of first) == "$a" ]]
}

returned() {
  heal_portal "$portal_of_b"
  need await_running "$b"
  same "the path comes back with its old size" $((4 * gib)) "$(kernel_size "$b")"
  same "'add path' before its rescan answers fail" fail "$(multipathd add path "$b")"
  same "and does no harm" "$((5 * gib)) 1" "$(kernel_size "$map") $(active_paths first)"
  rescan "$b"
  same "'add path' after it answers ok" ok "$(multipathd add path "$b")"
  check "both paths are active" await_map first 2
  map_sized "at the new size" 5G first
}

number_paths
grown
unequal
dead_member
returned
finish
