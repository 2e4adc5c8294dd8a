#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A volume on one path, when nothing may be touched: cut off, another volume in its place, gone, smaller.
# lab: limit=300
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

disk=$(disk_of single 127.0.0.3 0)
gib=$((1 << 30))

# refused SENTENCE STATUS ERROR: extend says so, and the kernel saw no rescan.
refused() {
  volgrow_ends "$1: extend" "$2" extend "dev:$disk" --expect 2G --timeout 10s
  same "$1: the reason" "$3" "$(field .error.name)"
  same "$1: nothing was rescanned" 0 "$(all_rescans)"
  same "$1: the size is as it was" "$gib" "$(kernel_size "$disk")"
  measured "$1: $(field .error.message) ($(($(field .duration_us) / 1000)) ms)"
}

register() {
  jq --null-input --arg device "/dev/$disk" \
    '{driver_volume_type: "local", data: {device_path: $device}, serial: "volume-third"}' >/tmp/connection.json
  volgrow --json register volume-third --connection /tmp/connection.json >/dev/null
}

lagging() {
  refused "a target that has not grown" 1 SizeMismatch
}

smaller() {
  resize_volume third 512M
  refused "a target that became smaller" 6 WouldShrink
  resize_volume third 1G
}

another_volume() {
  unmap_lun single 0
  map_lun single 0 fourth
  refused "another volume in its place" 6 WwidMismatch
  unmap_lun single 0
  refused "no volume in its place" 6 NoUsablePath
  map_lun single 0 third
}

cut_off() {
  cut_portal 127.0.0.3
  resize_volume third 2G
  refused "a path cut off a moment ago" 6 NoUsablePath
  need await_dead "$disk"
  refused "a path given up" 6 NoUsablePath
  heal_portal 127.0.0.3
  need await_running "$disk"
  volgrow_ends "healed, extend ends well" 0 extend "dev:$disk" --expect 2G
  sized "healed" 2G "$disk"
}

need start_volgrowd
need register
watch_rescans
lagging
smaller
another_volume
cut_off
finish
