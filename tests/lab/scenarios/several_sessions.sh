#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two sessions to each portal: four paths, each found once by the connection, each rescanned once.
# lab: limit=240
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

second_sessions() {
  local portal session
  for portal in 127.0.0.1 127.0.0.2; do
    session=$(sessions_of pair "$portal")
    iscsiadm --mode session --sid "${session#session}" --op new >/dev/null || return
  done
  await_map first 4
}

need second_sessions
udevadm settle
mapfile -t disks < <(members_of first)
need start_volgrowd
need register_volume volume-first pair 0 127.0.0.1 127.0.0.2
watch_rescans
resize_volume first 2G
volume_changed volume-first 2G
same "the job ends" complete "$job_state"
same "four paths" 4 "$(field '[.layers[] | select(.kind == "path")] | length')"
same "four rescans" 4 "$(all_rescans)"
sized "all paths" 2G "${disks[@]}"
map_sized "the map" 2G first
finish
