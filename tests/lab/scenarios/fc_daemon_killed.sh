#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The daemon is killed in the middle of a job whose one link is down; the target grows and the link comes back while
# nobody runs. Started again, it takes the job up, and both paths have the new size.
# lab: state=fc limit=400 quick=no
# shellcheck source=tests/lab/lib-fc.sh
source "${LAB_LIB%.sh}-fc.sh"

one=$(fc_disk 1 0)
two=$(fc_disk 2 0)
map=$(map_of first)

killed_in_the_job() {
  volgrow --json extend volume-first --expect 2G --timeout 90s >/tmp/answer.json 2>/tmp/volgrow.err &
  extending=$!
  need await 20 volume_is volume-first growing
  need while_io_waits first lose_link 2
  kill -KILL "$volgrowd_pid"
  wait "$volgrowd_pid" 2>/dev/null
  wait "$extending"
  check "who waited for the job is told" test $? -ne 0
}

job_ended() {
  [[ $(volgrow --json jobs | jq '[.[] | select(.state == "running")] | length') == 0 ]]
}

started_again() {
  need start_volgrowd
  check "the job is taken up and ends" await 90 job_ended
  check "nothing is waited for" await 60 no_stragglers
  check "both paths are active" await_map first 2
  sized "both paths" 2G "$one" "$two"
  map_sized "the map" 2G first
  volgrow_ends "and nothing is left to do" 0 extend volume-first --expect 2G
  same "unchanged" unchanged "$(field .state)"
}

need start_volgrowd
need register_fc_volume volume-first 0 1 2
need start_io "$map" 16 16
killed_in_the_job
resize_volume first 2G
link 2 up
need await_port 2 Online
started_again
check "I/O that ran meanwhile: no error, no byte differs" stop_io
finish
