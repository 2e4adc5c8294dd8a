#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One of two fabrics swallows all frames while its link stays up: disk and port look well, the probe does not come back.
# The path is never rescanned, evicted after the grace, and finished when the fabric is healed.
# lab: state=fc limit=500 quick=no
# shellcheck source=tests/lab/lib-fc.sh
source "${LAB_LIB%.sh}-fc.sh"

one=$(fc_disk 1 0)
two=$(fc_disk 2 0)

grown_without_it() {
  cut_fabric 2
  resize_volume first 2G
  volgrow_ends "extend ends as degraded" 3 extend volume-first --expect 2G
  same "the silent path is evicted" evicted "$(action_of "$two")"
  same "and was not rescanned" "1 0 1" "$(rescans_of "$one") $(rescans_of "$two") $(all_rescans)"
  same "while its port still is" Online "$(port_attribute 2 port_state)"
  sized "the living path" 2G "$one"
  map_sized "the map" 2G first
  measured "cut to degraded: $(($(field .duration_us) / 1000)) ms: $(field ".layers[] | select(.device == \"$two\") | .reason")"
}

back_by_itself() {
  heal_fabric 2
  milliseconds check "the healed path is finished without being asked for" await 120 no_stragglers
  check "both paths are active" await_map first 2
  sized "both paths" 2G "$one" "$(fc_disk 2 0)"
  map_sized "the map" 2G first
  measured "healed to finished: $elapsed_ms ms"
}

need start_volgrowd
need register_fc_volume volume-first 0 1 2
watch_rescans
grown_without_it
back_by_itself
finish
