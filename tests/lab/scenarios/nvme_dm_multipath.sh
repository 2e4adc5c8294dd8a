#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# NVMe paths that multipathd joins: each disk follows its controller's rescan, then the map is resized; with a
# controller lost its path is evicted, and taken back when it is there again.
# lab: state=nvme-dm limit=480 quick=no
# shellcheck source=tests/lab/lib-nvme.sh
source "${LAB_LIB%.sh}-nvme.sh"

map=$(basename "$(readlink --canonicalize-existing "/dev/mapper/uuid.$(uuid_of first)")")

# map_shows SENTENCE SIZE: every path and the map.
map_shows() {
  local size
  size=$(bytes "$2")
  same "$1: paths, map, device" "$size $size $size $size" \
    "$(kernel_size nvme0n1) $(kernel_size nvme1n1) $(kernel_size "$map") $(device_size "$map")"
  measured "$map $(kernel_size "$map") over nvme0n1 $(kernel_size nvme0n1) nvme1n1 $(kernel_size nvme1n1)"
}

members() {
  local paths=("/sys/block/$map/slaves/"*)
  echo "${paths[*]##*/}"
}

whole() {
  grow_namespace first 2G
  milliseconds volume_changed volume-first 2G
  same "the job ends" complete "$job_state"
  [[ $job_state == complete ]] || field .
  same "paths rescanned, the map resized" "rescanned rescanned resized" \
    "$(action_of nvme0n1) $(action_of nvme1n1) $(action_of "$map")"
  same "by one rescan of each controller" "1 1" "$(controller_rescans_of nvme0) $(controller_rescans_of nvme1)"
  map_shows "all layers agree" 2G
  measured "VolumeChanged to the end of Wait $elapsed_ms ms"
}

one_lost() {
  hide_subsystem 2 "$storage"
  need await_controller nvme1 connecting
  grow_namespace first 3G
  milliseconds volume_changed volume-first 3G
  same "with a controller lost the job is degraded" degraded "$job_state"
  same "its path has left the map" nvme0n1 "$(members)"
  same "which has its new size" $((3 << 30)) "$(device_size "$map")"
  measured "grown without nvme1n1 in $elapsed_ms ms"
}

back() {
  show_subsystem 2 "$storage"
  need await_controller nvme1 live
  straggler_ends "the path that is back is finished without being asked"
  same "it is a member again" "nvme0n1 nvme1n1" "$(members)"
  map_shows "all layers agree" 3G
}

need silence "$storage"
need start_volgrowd
nvme_connection "$storage" first 127.0.0.1 127.0.0.2 >/tmp/connection.json
need volgrow --quiet register volume-first --connection /tmp/connection.json
need write_pattern "$map" 16
need start_io "$map" 16 16
watch_rescans
whole
one_lost
back
check "I/O that ran meanwhile: no error, no byte differs" stop_io
check "what was written before is intact" pattern_intact "$map" 16
finish
