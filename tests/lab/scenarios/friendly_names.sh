#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Maps with friendly names (mpatha) grow as others do, also by that name.
# lab: limit=240 quick=no
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

one=$(disk_of pair 127.0.0.1 0)
two=$(disk_of pair 127.0.0.2 0)
map=$(map_of first)

name_of_map() {
  cat "/sys/block/$map/dm/name"
}

has_friendly_name() {
  [[ $(name_of_map) == mpath* ]]
}

rename_map() {
  stop_multipathd
  start_multipathd 1 yes || return
  await 30 has_friendly_name
}

# all_have SENTENCE SIZE
all_have() {
  sized "$1: both paths" "$2" "$one" "$two"
  same "$1: the map" "$(bytes "$2")" "$(device_size "$map")"
}

need start_volgrowd
need register_volume volume-first pair 0 127.0.0.1 127.0.0.2
need rename_map
name=$(name_of_map)
resize_volume first 2G
volume_changed volume-first 2G
same "the job of VolumeChanged ends" complete "$job_state"
same "the result has the map's name" "$name" "$(field '.layers[] | select(.kind == "multipath") | .name')"
all_have "by the event" 2G
resize_volume first 3G
volgrow_ends "extend by its friendly name" 0 extend "dm:$name" --expect 3G
all_have "by name" 3G
finish
