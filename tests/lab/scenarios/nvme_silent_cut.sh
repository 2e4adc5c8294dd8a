#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One of two controllers swallows everything while the kernel still takes it for live: the head grows without it, and
# the path is finished when its target answers again.
# lab: state=nvme limit=480 quick=no
# shellcheck source=tests/lab/lib-nvme.sh
source "${LAB_LIB%.sh}-nvme.sh"

head=$(namespace_of first)
one=$(path_of first nvme0)
two=$(path_of first nvme1)

grown_without_it() {
  cut_portal 127.0.0.2
  same "its controller looks well" live "$(</sys/class/nvme/nvme1/state)"
  grow_namespace first 2G
  milliseconds volume_changed volume-first 2G
  same "the job ends degraded" degraded "$job_state"
  same "with the consumer's size right" "[$((1 << 30)),$((2 << 30))]" "$(field '[.previous_bytes, .size_bytes]')"
  same "the living path was rescanned, the silent one is for later, the head followed" "rescanned deferred resized" \
    "$(action_of "$one") $(action_of "$two") $(action_of "$head")"
  same "the silent controller was asked for no rescan" 0 "$(controller_rescans_of nvme1)"
  same "the head has the new size" $((2 << 30)) "$(device_size "$head")"
  measured "cut to degraded: $elapsed_ms ms: $(field ".layers[] | select(.device == \"$two\") | .reason")"
}

# Cut with a keep-alive on the way, Debian's 6.1 waits for that command's 60 s before it resets the controller.
back_by_itself() {
  heal_portal 127.0.0.2
  milliseconds need await 120 controller_is nvme1 live
  measured "from healed to live $elapsed_ms ms"
  milliseconds straggler_ends "the path whose target answers again is finished without being asked for"
  namespace_sized "all layers agree" 2G first
  check "no worker is stuck" await 60 workers_are_free
  measured "from live to finished $elapsed_ms ms"
}

workers_are_free() {
  [[ $(manager_property StuckWorkers) == 0 ]]
}

# What iptables drops here has NVMe's port.
portal_port=$nvme_port
need silence "$storage"
need start_volgrowd
need register_namespace volume-first "$storage" first 127.0.0.1 127.0.0.2
need start_io "$head" 16 16
watch_rescans
grown_without_it
back_by_itself
check "I/O that ran meanwhile: no error, no byte differs" stop_io
finish
