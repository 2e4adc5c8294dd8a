#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The host heals itself: growth in silence is taken over, a live path that lost its size gets it back, and a volume
# that became smaller is an alarm, told once, and left alone. Nobody asks for anything here.
# lab: limit=300
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

left=$(disk_of pair 127.0.0.1 0)
right=$(disk_of pair 127.0.0.2 0)
single=$(disk_of single 127.0.0.3 0)
gib=$((1 << 30))

printf '[events]\naudit_interval_s = 3\n' >/tmp/agent.toml

map_has() {
  [[ $(kernel_size "$(map_of "$1")") == "$2" ]]
}

path_has() {
  [[ $(kernel_size "$1") == "$2" ]]
}

# has_event JQ_FILTER: volgrow watch has printed such a line.
has_event() {
  jq --slurp --exit-status "any(.[]; $1)" /tmp/watch.json
}

grown_in_silence() {
  resize_volume first 2G
  milliseconds check "the array grew in silence: the map follows" await 60 map_has first $((2 * gib))
  measured "silent growth to the map's size, with an audit of three volumes in 3 s: $elapsed_ms ms"
  sized "each path" 2G "$left" "$right"
  map_sized "the map" 2G first
  check "told as nobody's order" await 10 has_event \
    '.event == "volume-resized" and .origin == "spontaneous" and .volume_id == "volume-first" and .size_bytes == 2147483648'
}

lost_its_size() {
  local path
  path=$(disk_of pair 127.0.0.1 1)
  unmap_lun pair 1
  rescan "$path"
  same "the rescan of an unmapped unit lost the size" 0 "$(kernel_size "$path")"
  map_lun pair 1 second
  check "mapped again, the path gets its size back by itself" await 90 path_has "$path" "$gib"
  check "and the map is as it was" map_has second "$gib"
}

became_smaller() {
  resize_volume third 512M
  check "a volume that became smaller is shown so" await 60 volume_is volume-third shrunk
  need await 20 says_so 1
  check "it is looked at again and again" await 40 looked_again 2
  check "it is told once" says_so 1
  same "and nothing followed" "$gib" "$(kernel_size "$single")"
  resize_volume third 1G
  check "when it has its size again, all is well" await 60 volume_is volume-third ok
}

# Once the kernel has followed it too, no two sizes differ.
followed_by_somebody() {
  resize_volume third 512M
  rescan "$single"
  same "somebody made the disk smaller" $((gib / 2)) "$(kernel_size "$single")"
  check "that is shown too" await 60 volume_is volume-third shrunk
  need stop_volgrowd
  need start_volgrowd --config /tmp/agent.toml
  check "and after a restart" await 20 volume_is volume-third shrunk
  need register_volume volume-third single 0 127.0.0.3
  check "until its owner registers it anew" await 20 volume_is volume-third ok
}

says_so() {
  [[ $(grep --count "has become smaller at its target" /tmp/volgrowd.log) == "$1" ]]
}

# Each look sends INQUIRYs: the disk counts what it has been sent.
looked_again() {
  local now
  now=$(($(<"/sys/block/$single/device/iorequest_cnt")))
  : "${asked_before:=$now}"
  ((now >= asked_before + 3 * $1))
}

need start_volgrowd --config /tmp/agent.toml
need register_volume volume-first pair 0 127.0.0.1 127.0.0.2
need register_volume volume-second pair 1 127.0.0.1 127.0.0.2
need register_volume volume-third single 0 127.0.0.3
volgrow --json watch >/tmp/watch.json 2>/tmp/watch.err &
watch_pid=$!
need await 10 volume_is volume-third ok
grown_in_silence
lost_its_size
became_smaller
followed_by_somebody
kill "$watch_pid"
finish
