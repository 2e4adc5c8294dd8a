#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What happens to a registered volume without volgrow is on the bus at once: the kernel's events say so, and the
# audit comes much later.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

disk=$(disk_of single 127.0.0.3 0)

shown_size() {
  volgrow --json status volume-third | jq 'first(.. | .size_bytes? // empty)'
}

shows_size() {
  [[ $(shown_size) == "$1" ]]
}

# event JQ_FILTER: how many events of volgrow watch there are like it.
has_event() {
  [[ $(jq --slurp "[.[] | select($1)] | length" /tmp/watch.json) == 1 ]]
}

rescanned_by_hand() {
  resize_volume third 2G
  same "before the rescan the old size is shown" $((1 << 30)) "$(shown_size)"
  rescan "$disk"
  milliseconds check "a rescan by hand is followed" await 10 shows_size $((2 << 30))
  check "and told as nobody's of ours" await 5 has_event \
    '.event == "volume-resized" and .origin == "spontaneous" and .size_bytes == 2147483648'
  same "without a job" 0 "$(jq --slurp '[.[] | select(.event == "job-new")] | length' /tmp/watch.json)"
  measured "rescan by hand to the size on the bus: $elapsed_ms ms"
}

goes_and_comes() {
  log_out single 127.0.0.3
  check "a volume whose disk goes is not well" await 20 not volume_is volume-third ok
  log_in single
  check "and is again when its disk is back" await 30 volume_is volume-third ok
}

need start_volgrowd
need register_volume volume-third single 0 127.0.0.3
volgrow --json watch >/tmp/watch.json 2>/tmp/watch.err &
watch_pid=$!
need await 10 volume_is volume-third ok
rescanned_by_hand
goes_and_comes
kill "$watch_pid"
finish
