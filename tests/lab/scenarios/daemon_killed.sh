#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The daemon is killed in the middle of what the other scenarios show: while paths are rescanned, while a dead path has
# its grace, while a path waits to come back, while the target lags. Each job is taken up by its own number, and the sizes are
# right on every layer.
# lab: limit=480 quick=no
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

one=$(disk_of pair 127.0.0.1 0)
two=$(disk_of pair 127.0.0.2 0)
map=$(map_of first)

# killed_then SENTENCE STATES COMMAND…: after COMMAND the job, begun before the kill, ends in one of STATES.
killed_then() {
  need restart_killed_volgrowd
  need "${@:3}"
  need await_job
  matches "$1: the same job ends" "^($2)$" "$job_state"
}

whole() {
  sized "$1: both paths" "$2" "$one" "$two"
  map_sized "$1: the map" "$2" first
}

rescanned_once() {
  (($(all_rescans) > 0))
}

rescanning() {
  resize_volume first 2G
  need begin_job volume-first 2G
  need await 20 rescanned_once
  killed_then "rescanning" "complete|unchanged" true
  whole "rescanning" 2G
}

dead_path() {
  cut_portal 127.0.0.2
  resize_volume first 3G
  need begin_job volume-first 3G
  need await 20 volume_is volume-first growing
  need pause 2 # into the grace of five seconds
  killed_then "in a dead path's grace" degraded true
  map_sized "in a dead path's grace: the map has grown without it" 3G first
  same "in a dead path's grace: it is waited for" 1 "$(manager_property Stragglers)"
}

path_comes_back() {
  need restart_killed_volgrowd
  heal_portal 127.0.0.2
  straggler_ends "a path waited for by the killed daemon is finished"
  need await_map first 2
  whole "path waited for" 3G
}

lagging_target() {
  need begin_job volume-first 4G
  need await 20 volume_is volume-first growing
  killed_then "lagging target" complete resize_volume first 4G
  whole "lagging target" 4G
}

need start_volgrowd
need register_volume volume-first pair 0 127.0.0.1 127.0.0.2
need start_io "$map" 16 16
watch_rescans
rescanning
dead_path
path_comes_back
lagging_target
check "I/O that ran through all of it: no error, no byte differs" stop_io
finish
