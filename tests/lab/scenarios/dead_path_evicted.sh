#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One of two paths is cut silently before the event: it is evicted after the grace and the volume has its new
# size; healed, it is back in the map at that size and reported, without anyone asking.
# lab: limit=300
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

one=$(disk_of pair 127.0.0.1 0)
two=$(disk_of pair 127.0.0.2 0)
map=$(map_of first)

grown_without_it() {
  cut_portal 127.0.0.2
  resize_volume first 2G
  volgrow_ends "extend ends as degraded" 3 extend volume-first --expect 2G
  same "the state" degraded "$(field .state)"
  same "the dead path is evicted" evicted "$(action_of "$two")"
  same "the map has only the other" "$one" "$(members_of first)"
  sized "the living path" 2G "$one"
  map_sized "the map" 2G first
  same "one path is waited for" 1 "$(manager_property Stragglers)"
  measured "cut to degraded: $(($(field .duration_us) / 1000)) ms: $(field ".layers[] | select(.device == \"$two\") | .reason")"
}

back_by_itself() {
  heal_portal 127.0.0.2
  milliseconds straggler_ends "the healed path is finished without being asked for"
  same "it is a member again" "$(printf '%s\n' "$one" "$two" | sort)" "$(members_of first | sort)"
  check "both paths are active" await_map first 2
  sized "both paths" 2G "$one" "$two"
  map_sized "the map" 2G first
  same "and it was reported" 2 "$(manager_property OutboxDepth)"
  measured "healed to finished: $elapsed_ms ms"
}

need start_volgrowd
need register_volume volume-first pair 0 127.0.0.1 127.0.0.2
need start_io "$map" 16 16
grown_without_it
back_by_itself
check "I/O that ran meanwhile: no error, no byte differs" stop_io
finish
