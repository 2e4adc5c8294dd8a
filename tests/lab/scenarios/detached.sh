#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A volume is detached while a job waits for its target: the job ends with a reason, the daemon lives on, and
# the other volumes are served.
# lab: limit=240
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

disk=$(disk_of single 127.0.0.3 0)

need start_volgrowd
need register_volume volume-third single 0 127.0.0.3
need register_volume volume-first pair 0 127.0.0.1 127.0.0.2
volgrow --json extend volume-third --expect 2G --timeout 20s >/tmp/answer.json 2>&1 &
extending=$!
need await 20 volume_is volume-third growing
log_out single 127.0.0.3
need await 20 not test -e "/sys/block/$disk"
wait "$extending"
status=$?
answer=$(</tmp/answer.json)
matches "the job ends with a reason" '^(NoUsablePath|NoSuchDevice)$' "$(field .error.name)"
check "and not well" test "$status" -ne 0
measured "exit status $status: $(field .error.message)"
resize_volume first 2G
volume_changed volume-first 2G
same "another volume is served" complete "$job_state"
map_sized "the map" 2G first
finish
