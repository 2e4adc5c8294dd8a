#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every controller is lost: nothing is touched and the answer says why; with one back, the volume grows.
# lab: state=nvme limit=480 quick=no
# shellcheck source=tests/lab/lib-nvme.sh
source "${LAB_LIB%.sh}-nvme.sh"

head=$(namespace_of first)

need start_volgrowd
watch_rescans
hide_subsystem 1 "$storage"
hide_subsystem 2 "$storage"
need await_controller nvme0 connecting
need await_controller nvme1 connecting
grow_namespace first 2G
volgrow_ends "extend is refused" 6 extend "dev:$head" --expect 2G --timeout 5s
same "for there is no usable path" NoUsablePath "$(field .error.name)"
same "nothing was rescanned" 0 "$(all_controller_rescans)"
measured "$(field .error.message)"
show_subsystem 1 "$storage"
need await_controller nvme0 live
volgrow_ends "with one controller back it grows, the other path pending" 3 extend "dev:$head" --expect 2G
same "to its new size" $((2 << 30)) "$(device_size "$head")"
finish
