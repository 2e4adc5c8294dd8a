#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Hosts that are broken in nine ways: explain names the first thing that is wrong and what mends it, and when that has
# been done it finds nothing.
# lab: limit=600 quick=no
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

one=$(disk_of pair 127.0.0.1 0)
two=$(disk_of pair 127.0.0.2 0)
map=$(map_of first)
wwid=$(wwid_of first)

# explains SENTENCE DEVICE PROBLEM FIX: regular expressions, all that explain says is shown.
explains() {
  volgrow_ends "$1: explain says that something is wrong" 3 explain volume-first --timeout 20s
  same "$1: where" "$2" "$(field .diagnosis.device)"
  matches "$1: what" "$3" "$(field .diagnosis.problem)"
  matches "$1: what mends it" "$4" "$(field .diagnosis.fix)"
  volgrow explain volume-first --timeout 20s 2>&1 | sed "s/^/measured: $1 | /"
}

# mended SENTENCE COMMAND…: by what explain said, or by what the host's owner does before it.
mended() {
  need "${@:2}"
  volgrow_ends "$1, mended: explain finds nothing wrong" 0 explain volume-first --timeout 20s
}

grown_at_the_array() {
  resize_volume first 2G
  explains "not rescanned" "$one" "$one still shows 1 GiB.*target says 2 GiB" "^volgrow extend volume-first$"
  mended "not rescanned" volgrow --quiet extend volume-first
}

map_behind_its_paths() {
  resize_volume first 3G
  rescan "$one" && rescan "$two"
  explains "map not resized" "$map" "$map still shows 2 GiB.*layers below allow 3 GiB" "^volgrow extend volume-first$"
  mended "map not resized" volgrow --quiet extend volume-first
}

session_down() {
  cut_portal 127.0.0.2
  need await_dead "$two"
  explains "session down" "$two" "transport-offline" "iscsiadm.*127.0.0.2:3260 reachable"
  heal_portal 127.0.0.2
  need await_running "$two"
  mended "session down" await_map first 2
}

set_offline() {
  echo offline >"/sys/block/$two/device/state"
  explains "set offline" "$two" "offline" "echo running > /sys/block/$two/device/state"
  eval "$(field '.diagnosis.fix | split(" when ")[0]')"
  mended "set offline" await_map first 2
}

lost_by_its_map() {
  multipathd del path "$two" >/dev/null
  need await 10 test ! -e "/sys/block/$map/slaves/$two"
  explains "not in its map" "$two" "$two is a path to this volume and no member of $map" "^volgrow rescan volume-first$"
  volgrow --quiet rescan volume-first
  mended "not in its map" await_map first 2
}

multipathd_gone() {
  stop_multipathd
  resize_volume first 4G
  explains "no multipathd" "$one" "$one still shows 3 GiB.*target says 4 GiB" "^volgrow extend volume-first$"
  volgrow_ends "no multipathd: extend does what it can" 1 extend volume-first --timeout 10s
  same "no multipathd: and says why not more" MultipathUnavailable "$(field .error.name)"
  explains "no multipathd, paths rescanned" "$map" "$map still shows 3 GiB.*layers below allow 4 GiB" "^volgrow extend volume-first$"
  start_multipathd 1
  need await_map first 2
  mended "no multipathd" volgrow --quiet extend volume-first
}

not_mapped_any_more() {
  unmap_lun pair 0
  explains "LUN gone" "$one" "LUN|logical unit" "at the target whether it maps the volume"
  map_lun pair 0 first
  mended "LUN gone" await_map first 2
}

other_volume() {
  unmap_lun pair 0
  map_lun pair 0 fourth
  explains "another volume" "$one" "$wwid|another volume|naa" "mapping at the target"
  unmap_lun pair 0
  map_lun pair 0 first
  mended "another volume" await_map first 2
}

became_smaller() {
  resize_volume first 1G
  explains "smaller at the target" "$one" "$one shows 4 GiB.*only 1 GiB" "has become smaller"
  resize_volume first 4G
  mended "smaller at the target" true
}

# What is broken stays so until it is mended here: with "registered" the second would have mended itself.
printf '[events]\nauto = "never"\n' >/tmp/volgrowd.toml
need start_volgrowd --config /tmp/volgrowd.toml
need register_volume volume-first pair 0 127.0.0.1 127.0.0.2
grown_at_the_array
map_behind_its_paths
session_down
set_offline
lost_by_its_map
multipathd_gone
not_mapped_any_more
other_volume
became_smaller
finish
