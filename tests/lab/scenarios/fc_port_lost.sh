#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A remote port stays away beyond dev_loss_tmo, Blocked and then Not Present, while its volume grows: the path is given
# up with its disk; when the port is back another disk is the path, at the new size, without anyone asking.
# lab: state=fc limit=400 quick=no
# shellcheck source=tests/lab/lib-fc.sh
source "${LAB_LIB%.sh}-fc.sh"

one=$(fc_disk 1 0)
two=$(fc_disk 2 0)
map=$(map_of first)
diskseq=$(<"/sys/block/$two/diskseq")

grown_without_it() {
  port_attribute 2 dev_loss_tmo 25
  need while_io_waits first lose_link 2
  resize_volume first 2G
  volgrow_ends "extend ends as degraded" 3 extend volume-first --expect 2G
  same "the path of the blocked port is evicted" evicted "$(action_of "$two")"
  map_sized "the map" 2G first
  measured "$(field ".layers[] | select(.device == \"$two\") | .reason")"
}

lost_for_good() {
  check "the port is Not Present" await_port 2 "Not Present"
  check "its disk is gone" await 20 not same_disk
}

same_disk() {
  [[ $(<"/sys/block/$two/diskseq") == "$diskseq" ]]
}

back_by_itself() {
  link 2 up
  need await_port 2 Online
  two=$(await_fc_disk 2 0)
  check "its disk is another one" test "$(<"/sys/block/$two/diskseq")" -gt "$diskseq"
  check "both paths are active, without anyone asking" await_map first 2
  straggler_ends "nothing is waited for any more"
  sized "both paths" 2G "$one" "$two"
  map_sized "the map" 2G first
  volgrow_ends "and nothing is left to do" 0 extend volume-first --expect 2G
  same "unchanged" unchanged "$(field .state)"
}

need start_volgrowd
need register_fc_volume volume-first 0 1 2
need start_io "$map" 16 16
grown_without_it
lost_for_good
back_by_itself
check "I/O that ran meanwhile: no error, no byte differs" stop_io
finish
