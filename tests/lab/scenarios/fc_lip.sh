#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ports are reset by a LIP (issue_lip) while a job waits for the target, under I/O; then the target has grown, and at the
# same moment a port is reset again: both paths have the new size in the end.
# lab: state=fc limit=500 quick=no
# shellcheck source=tests/lab/lib-fc.sh
source "${LAB_LIB%.sh}-fc.sh"

one=$(fc_disk 1 0)
two=$(fc_disk 2 0)
map=$(map_of first)

need start_volgrowd
need register_fc_volume volume-first 0 1 2
need start_io "$map" 16 16
volgrow --json extend volume-first --expect 2G --timeout 180s >/tmp/answer.json 2>/tmp/volgrow.err &
extending=$!
need await 20 volume_is volume-first growing
for fabric in 1 2; do
  need while_io_waits first lip "$fabric"
  need await_map first 2
done
check "I/O that ran meanwhile: no error, no byte differs" stop_io
resize_volume first 2G
need lip 2
wait "$extending"
status=$?
answer=$(</tmp/answer.json)
matches "extend ends well, or waits for the path that was away just then" '^[03]$' "$status"
measured "extend ended as $(field .state) after $(($(field .duration_us) / 1000)) ms: $(field '[.layers[] | [.device, .action, .reason]]')"
straggler_ends "nothing is left to do"
check "both paths are active" await_map first 2
same "the disks are the same" "$one $two" "$(fc_disk 1 0) $(fc_disk 2 0)"
sized "both paths" 2G "$one" "$two"
map_sized "the map" 2G first
finish
