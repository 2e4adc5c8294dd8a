#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The target grows, and a path dies and comes back, while the daemon is down: it takes up both when it is back.
# lab: limit=300
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

one=$(disk_of pair 127.0.0.1 0)
two=$(disk_of pair 127.0.0.2 0)

need start_volgrowd
need register_volume volume-first pair 0 127.0.0.1 127.0.0.2
cut_portal 127.0.0.2
need await_dead "$two"
resize_volume first 2G
volgrow_ends "with a dead path, extend ends as degraded" 3 extend volume-first --expect 2G
kill -KILL "$volgrowd_pid"
wait "$volgrowd_pid" 2>/dev/null
heal_portal 127.0.0.2
need await_running "$two"
resize_volume first 3G
need start_volgrowd
straggler_ends "the path that was left is finished after the restart"
sized "both paths" 3G "$one" "$two"
map_sized "the map, with what the target has become meanwhile" 3G first
finish
