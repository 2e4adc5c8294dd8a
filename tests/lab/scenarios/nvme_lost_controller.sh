#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One of two controllers is lost while a namespace that is written to grows: the head grows without it, the job is
# degraded and remembers the path; when the controller is back, that is finished and reported without being asked.
# lab: state=nvme limit=480 quick=no
# shellcheck source=tests/lab/lib-nvme.sh
source "${LAB_LIB%.sh}-nvme.sh"

head=$(namespace_of first)
one=$(path_of first nvme0)
two=$(path_of first nvme1)

without_it() {
  grow_namespace first 2G
  milliseconds volume_changed volume-first 2G
  same "the job ends degraded" degraded "$job_state"
  same "with the consumer's size right" "[$((1 << 30)),$((2 << 30))]" "$(field '[.previous_bytes, .size_bytes]')"
  same "the live path was rescanned, the lost one is for later, the head followed" "rescanned deferred resized" \
    "$(action_of "$one") $(action_of "$two") $(action_of "$head")"
  same "only the live controller was asked" "1 0" "$(controller_rescans_of nvme0) $(controller_rescans_of nvme1)"
  same "the head has the new size" $((2 << 30)) "$(device_size "$head")"
  same "one path is remembered" 1 "$(manager_property Stragglers)"
  measured "grown without the lost controller in $elapsed_ms ms: $(field ".layers[] | select(.device == \"$two\") | .reason")"
}

back_again() {
  show_subsystem 2 "$storage"
  need await_controller nvme1 live
  milliseconds straggler_ends "the path that came back is finished without being asked"
  namespace_sized "all layers agree" 2G first
  check "and the volume is well" await 10 volume_is volume-first ok
  measured "from live to finished $elapsed_ms ms; reports in the outbox: $(manager_property OutboxDepth)"
}

need silence "$storage"
need start_volgrowd
need register_namespace volume-first "$storage" first 127.0.0.1 127.0.0.2
need write_pattern "$head" 16
need start_io "$head" 16 16
watch_rescans
hide_subsystem 2 "$storage"
need await_controller nvme1 connecting
without_it
back_again
check "I/O that ran meanwhile: no error, no byte differs" stop_io
check "what was written before is intact" pattern_intact "$head" 16
finish
