#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A map of two paths: unequal, dead and returning members, and what multipathd answers.
# lab: limit=300
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

a=$(disk_of pair 127.0.0.1 0)
b=$(disk_of pair 127.0.0.2 0)
map=$(map_of first)
wwid=$(wwid_of first)
gib=$((1 << 30))

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

unequal() {
  resize_volume first 3G
  rescan "$a"
  dmesg --clear
  same "unequal paths: 'resize map' answers fail" fail "$(resize)"
  same "the map keeps its size" $((2 * gib)) "$(kernel_size "$map")"
  matches "the kernel refuses a table longer than a member" "$b too small for target" "$(dmesg)"
  rescan "$b"
  same "equal again: ok" ok "$(resize)"
}

dead_member() {
  cut_portal 127.0.0.2
  resize_volume first 4G
  need await_dead "$b"
  rescan "$a"
  same "a dead member that is smaller blocks the map" fail "$(resize)"
  check "which goes on serving" dd if="/dev/$map" of=/dev/null bs=4k count=1 iflag=direct status=none
  same "'del path' answers ok" ok "$(multipathd del path "$b")"
  need await 20 is_member_no_more
  same "without it 'resize map' answers ok" ok "$(resize)"
  map_sized "the map has grown on one path" 4G first
}

is_member_no_more() {
  [[ $(members_of first) == "$a" ]]
}

returned() {
  heal_portal 127.0.0.2
  need await_running "$b"
  same "the path comes back with its old size" $((3 * gib)) "$(kernel_size "$b")"
  same "'add path' before its rescan answers fail" fail "$(multipathd add path "$b")"
  same "and does no harm" "$((4 * gib)) 1" "$(kernel_size "$map") $(active_paths first)"
  rescan "$b"
  same "'add path' after it answers ok" ok "$(multipathd add path "$b")"
  check "both paths are active" await_map first 2
  map_sized "at the new size" 4G first
}

grown
unequal
dead_member
returned
finish
