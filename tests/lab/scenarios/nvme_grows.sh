#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An NVMe namespace of two paths, whose target never announces its growth, grows by an event on D-Bus while it is
# written to: one rescan of each controller, the head follows; the same event again changes nothing.
# lab: state=nvme limit=480
# shellcheck source=tests/lab/lib-nvme.sh
source "${LAB_LIB%.sh}-nvme.sh"

head=$(namespace_of first)
one=$(path_of first nvme0)
two=$(path_of first nvme1)

the_event() {
  grow_namespace first 2G
  milliseconds volume_changed volume-first 2G
  same "the job of VolumeChanged ends" complete "$job_state"
  [[ $job_state == complete ]] || field .
  same "with measured bytes" "[$((1 << 30)),$((2 << 30))]" "$(field '[.previous_bytes, .size_bytes]')"
  same "of the volume that was pinned" "pinned uuid.$(uuid_of first | tr --delete -)" "$(field '.identity + " " + .wwid')"
  same "each path was rescanned, the head followed" "rescanned rescanned resized" \
    "$(action_of "$one") $(action_of "$two") $(action_of "$head")"
  same "by one rescan of each controller" "1 1 2" \
    "$(controller_rescans_of nvme0) $(controller_rescans_of nvme1) $(all_controller_rescans)"
  namespace_sized "all layers agree" 2G first
  measured "VolumeChanged to the end of Wait $elapsed_ms ms, the job itself $(field .duration_us) us"
}

again() {
  volume_changed volume-first 2G
  same "the same event again" unchanged "$job_state"
  same "rescans nothing" 2 "$(all_controller_rescans)"
}

by_any_name() {
  local name
  for name in "dev:$head" "dev:$one" "/dev/$head" "wwid:uuid.$(uuid_of first)"; do
    volgrow_ends "$name is the same volume" 0 extend "$name" --expect 2G
    same "$name: nothing to do" "unchanged /dev/$head" "$(field '.state + " " + .device')"
  done
}

need silence "$storage"
need start_volgrowd
need register_namespace volume-first "$storage" first 127.0.0.1 127.0.0.2
need write_pattern "$head" 16
need start_io "$head" 16 16
watch_rescans
the_event
again
check "I/O that ran meanwhile: no error, no byte differs" stop_io
check "what was written before is intact" pattern_intact "$head" 16
by_any_name
finish
