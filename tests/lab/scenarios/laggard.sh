#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two paths to one volume whose storage disagrees: one has grown, the other answers with the old size. Nothing is
# touched and nobody is evicted; once both agree, the volume grows.
# lab: limit=240
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

twins() {
  make_volume twin 1G
  truncate --size=1G "$volumes/sibling"
  make_iblock sibling "$(serial_of twin)"
  make_target left 127.0.0.4
  make_target right 127.0.0.5
  map_lun left 0 twin
  map_lun right 0 sibling
  log_in left
  log_in right
  await_map twin 2
}

need twins
one=$(disk_of left 127.0.0.4 0)
two=$(disk_of right 127.0.0.5 0)
map=$(map_of twin)
need start_volgrowd
watch_rescans
resize_volume twin 2G
volgrow_ends "extend is refused" 6 extend "dev:$map" --expect 2G --timeout 4s
same "because the paths disagree" PathsDisagree "$(field .error.name)"
same "nothing was rescanned" 0 "$(all_rescans)"
same "nobody was evicted" "$(printf '%s\n' "$one" "$two" | sort)" "$(members_of twin | sort)"
measured "$(field .error.message)"
resize_volume sibling 2G
volgrow_ends "both agree: extend ends well" 0 extend "dev:$map" --expect 2G
sized "both paths" 2G "$one" "$two"
map_sized "the map" 2G twin
finish
