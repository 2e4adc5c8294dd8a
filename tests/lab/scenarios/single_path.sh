#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A volume on one iSCSI path, without multipath, grows by an event on D-Bus while it is written to; the same
# call again changes nothing.
# lab: limit=240
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

disk=$(disk_of single 127.0.0.3 0)

registered() {
  local wwid
  wwid=naa.6001405$(serial_of third)
  jq --null-input --arg device "/dev/$disk" \
    '{driver_volume_type: "local", data: {device_path: $device}, serial: "volume-third"}' >/tmp/connection.json
  volgrow_ends "register pins the volume" 0 register volume-third --connection /tmp/connection.json
  same "by the target's own identity" "$wwid" "$(volgrow --json list | jq --raw-output '.. | .wwid? // empty')"
}

before_the_event() {
  resize_volume third 2G
  volgrow_ends "explain says that something is wrong" 3 explain "dev:$disk"
  same "the path, which shows the old size" "$disk" "$(field .diagnosis.device)"
  volgrow_ends "plan exits well: growing is nothing wrong" 0 plan "dev:$disk" --expect 2G
  same "it would rescan the path" '["path","planned"]' "$(field '.layers[0] | [.kind, .action]')"
  same "neither has touched the disk" $((1 << 30)) "$(kernel_size "$disk")"
  same "and nothing was rescanned" 0 "$(all_rescans)"
}

the_event() {
  milliseconds volume_changed volume-third 2G
  same "the job of VolumeChanged ends" complete "$job_state"
  same "with measured bytes" "[$((1 << 30)),$((2 << 30))]" "$(field '[.previous_bytes, .size_bytes]')"
  same "of the volume that was pinned" pinned "$(field .identity)"
  same "by one rescan" "1 1" "$(rescans_of "$disk") $(all_rescans)"
  sized "all layers agree" 2G "$disk"
  measured "VolumeChanged to the end of Wait $elapsed_ms ms, the job itself $(field .duration_us) us"
}

again() {
  volume_changed volume-third 2G
  same "the same event again" unchanged "$job_state"
  volgrow_ends "extend to the size it has" 0 extend "dev:$disk" --expect 2G
  same "ends as unchanged" unchanged "$(field .state)"
  same "and nothing was rescanned again" 1 "$(all_rescans)"
  volgrow_ends "explain finds nothing wrong" 0 explain "dev:$disk"
}

need start_volgrowd
need write_pattern "$disk" 16
need start_io "$disk" 16 16
watch_rescans
registered
before_the_event
the_event
again
check "I/O that ran meanwhile: no error, no byte differs" stop_io
check "what was written before is intact" pattern_intact "$disk" 16
finish
