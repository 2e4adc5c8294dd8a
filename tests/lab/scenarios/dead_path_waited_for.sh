#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# With dead-paths=wait a map with a dead path keeps its size, and grows by itself when the path is back.
# lab: limit=300 quick=no
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

one=$(disk_of pair 127.0.0.1 0)
two=$(disk_of pair 127.0.0.2 0)

need start_volgrowd
need register_volume volume-first pair 0 127.0.0.1 127.0.0.2
cut_portal 127.0.0.2
need await_dead "$two"
resize_volume first 2G
volgrow_ends "extend ends as degraded" 3 extend volume-first --expect 2G --dead-paths wait
same "the map waits" deferred "$(action_of "$(map_of first)")"
map_sized "and has its old size" 1G first
same "with both its members" "$(printf '%s\n' "$one" "$two" | sort)" "$(members_of first | sort)"
heal_portal 127.0.0.2
milliseconds straggler_ends "the path back, the volume is finished without being asked for"
sized "both paths" 2G "$one" "$two"
map_sized "the map" 2G first
measured "healed to finished: $elapsed_ms ms"
finish
