#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two fabrics lead to one volume whose storage disagrees: one controller has grown, the other answers with the old
# size. Nothing is touched and nobody is evicted; once both agree, the volume grows.
# lab: state=fc limit=300 quick=no
# shellcheck source=tests/lab/lib-fc.sh
source "${LAB_LIB%.sh}-fc.sh"

twins() {
  make_volume twin 1G
  truncate --size=1G "$volumes/sibling"
  make_iblock sibling "$(serial_of twin)"
  map_fc_lun 1 3 twin
  map_fc_lun 2 3 sibling
  fc_scan 1
  fc_scan 2
  await_map twin 2
}

need twins
one=$(fc_disk 1 3)
two=$(fc_disk 2 3)
map=$(map_of twin)
need start_volgrowd
need register_fc_volume volume-twin 3 1 2
watch_rescans
resize_volume twin 2G
volgrow_ends "extend is refused" 6 extend volume-twin --expect 2G --timeout 4s
same "because the paths disagree" PathsDisagree "$(field .error.name)"
same "nothing was rescanned" 0 "$(all_rescans)"
same "nobody was evicted" "$(printf '%s\n' "$one" "$two" | sort)" "$(members_of twin | sort)"
measured "$(field .error.message)"
resize_volume sibling 2G
volgrow_ends "both agree: extend ends well" 0 extend volume-twin --expect 2G
sized "both paths" 2G "$one" "$two"
map_sized "the map" 2G twin
finish
