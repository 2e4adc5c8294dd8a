#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# All paths are cut and I/O waits for one: nothing is touched, and what waited completes after healing.
# lab: limit=300
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

map=$(map_of first)

need start_volgrowd
need register_volume volume-first pair 0 127.0.0.1 127.0.0.2
need start_io "$map" 16 16
watch_rescans
cut_portal 127.0.0.1
cut_portal 127.0.0.2
need await_dead "$(disk_of pair 127.0.0.1 0)"
need await_dead "$(disk_of pair 127.0.0.2 0)"
resize_volume first 2G
before=$(dmsetup table "$(wwid_of first)")
volgrow_ends "extend is refused" 6 extend volume-first --expect 2G --timeout 10s
same "because there is no path" NoUsablePath "$(field .error.name)"
same "nothing was rescanned" 0 "$(all_rescans)"
same "the map is as it was" "$before" "$(dmsetup table "$(wwid_of first)")"
heal_portal 127.0.0.1
heal_portal 127.0.0.2
check "the paths come back" await_map first 2
volgrow_ends "now extend ends well" 0 extend volume-first --expect 2G
map_sized "the map" 2G first
check "I/O that had to wait: no error, no byte differs" stop_io
finish
