#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A target that is smaller than expected: it grows within the deadline, or it does not; and it became smaller.
# lab: limit=240
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

need start_volgrowd
need register_volume volume-first pair 0 127.0.0.1 127.0.0.2
watch_rescans

volgrow_ends "a target that does not grow: extend fails" 1 extend volume-first --expect 2G --timeout 3s
same "by its size" SizeMismatch "$(field .error.name)"
same "nothing was rescanned" 0 "$(all_rescans)"
map_sized "and the map is as it was" 1G first

volgrow --json extend volume-first --expect 2G --timeout 30s >/tmp/answer.json 2>&1 &
extending=$!
need await 20 volume_is volume-first growing
resize_volume first 2G
wait "$extending"
same "a target that grows meanwhile: extend ends well" 0 $?
answer=$(</tmp/answer.json)
same "complete" complete "$(field .state)"
map_sized "the map" 2G first

resize_volume first 1G
volgrow_ends "a target that became smaller: extend is refused" 6 extend volume-first
same "because it would shrink" WouldShrink "$(field .error.name)"
map_sized "nobody shrank the map" 2G first
check "and the volume says so" volume_is volume-first shrunk
finish
