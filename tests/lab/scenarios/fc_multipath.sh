#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A volume over two Fibre Channel fabrics, known by its connection_info, grows by an event on D-Bus while it is written
# to: both paths, the map, nothing else; the same event again changes nothing.
# lab: state=fc limit=400
# shellcheck source=tests/lab/lib-fc.sh
source "${LAB_LIB%.sh}-fc.sh"

one=$(fc_disk 1 0)
two=$(fc_disk 2 0)
map=$(map_of first)

the_event() {
  resize_volume first 2G
  milliseconds volume_changed volume-first 2G
  same "the job of VolumeChanged ends" complete "$job_state"
  [[ $job_state == complete ]] || field .
  same "with measured bytes" "[$((1 << 30)),$((2 << 30))]" "$(field '[.previous_bytes, .size_bytes]')"
  same "of the volume that was pinned" pinned "$(field .identity)"
  same "each path was rescanned, the map resized" "rescanned rescanned resized" \
    "$(action_of "$one") $(action_of "$two") $(action_of "$map")"
  same "by one rescan each, and none elsewhere" "1 1 2" \
    "$(rescans_of "$one") $(rescans_of "$two") $(all_rescans)"
  same "a path tells the ports at both its ends" "fc 0x$(wwn_of initiator 1) to 0x$(wwn_of target 1)" \
    "$(field ".layers[] | select(.device == \"$one\") | .transport + \" \" + .endpoint" | tr --delete '"')"
  sized "all paths agree" 2G "$one" "$two"
  map_sized "the map agrees" 2G first
  measured "VolumeChanged to the end of Wait $elapsed_ms ms, the job itself $(field .duration_us) us"
}

again() {
  volume_changed volume-first 2G
  same "the same event again" unchanged "$job_state"
  same "rescans nothing" 2 "$(all_rescans)"
}

need start_volgrowd
need register_fc_volume volume-first 0 1 2
need write_pattern "$map" 16
need start_io "$map" 16 16
watch_rescans
the_event
again
check "I/O that ran meanwhile: no error, no byte differs" stop_io
check "what was written before is intact" pattern_intact "$map" 16
finish
