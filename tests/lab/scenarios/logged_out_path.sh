#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One of two paths is logged out: the map grows with the other and is complete; after the login the path is a
# member again, at the new size.
# lab: limit=240
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

two=$(disk_of pair 127.0.0.2 0)

need start_volgrowd
need register_volume volume-first pair 0 127.0.0.1 127.0.0.2
log_out pair 127.0.0.2
need await 20 test ! -e "/sys/block/$(map_of first)/slaves/$two"
resize_volume first 2G
volgrow_ends "extend ends well" 0 extend volume-first --expect 2G
same "complete" complete "$(field .state)"
map_sized "the map" 2G first
log_in pair 127.0.0.2
two=$(await_disk pair 127.0.0.2 0)
check "the path is a member again" await_map first 2
sized "both paths" 2G "$(disk_of pair 127.0.0.1 0)" "$two"
map_sized "the map" 2G first
volgrow_ends "and nothing is left to do" 0 extend volume-first --expect 2G
same "unchanged" unchanged "$(field .state)"
finish
