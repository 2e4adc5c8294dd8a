#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One of two links goes down while a job waits for the target: its path is evicted after the grace, the volume has its
# new size; the link is back, and so is the path, at that size, without anyone asking.
# lab: state=fc limit=400 quick=no
# shellcheck source=tests/lab/lib-fc.sh
source "${LAB_LIB%.sh}-fc.sh"

one=$(fc_disk 1 0)
two=$(fc_disk 2 0)
map=$(map_of first)

grown_without_it() {
  volgrow --json extend volume-first --expect 2G --timeout 90s >/tmp/answer.json 2>/tmp/volgrow.err &
  extending=$!
  need await 20 volume_is volume-first growing
  need while_io_waits first lose_link 2
  resize_volume first 2G
  wait "$extending"
  same "extend ends as degraded" 3 $?
  answer=$(</tmp/answer.json)
  same "the state" degraded "$(field .state)"
  same "the dead path is evicted" evicted "$(action_of "$two")"
  same "the map has only the other" "$one" "$(members_of first)"
  sized "the living path" 2G "$one"
  map_sized "the map" 2G first
  measured "the job $(($(field .duration_us) / 1000)) ms: $(field ".layers[] | select(.device == \"$two\") | .reason")"
}

back_by_itself() {
  link 2 up
  need await_port 2 Online
  milliseconds straggler_ends "the path is finished without being asked for"
  same "it is the same disk" "$two" "$(fc_disk 2 0)"
  check "both paths are active" await_map first 2
  same "it is a member again" "$(printf '%s\n' "$one" "$two" | sort)" "$(members_of first | sort)"
  sized "both paths" 2G "$one" "$two"
  map_sized "the map" 2G first
  measured "port Online to finished: $elapsed_ms ms"
}

need start_volgrowd
need register_fc_volume volume-first 0 1 2
need start_io "$map" 16 16
grown_without_it
back_by_itself
check "I/O that ran meanwhile: no error, no byte differs" stop_io
finish
