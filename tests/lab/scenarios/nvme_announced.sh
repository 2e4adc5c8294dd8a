#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The target announces the growth and the kernel has followed before anybody asks: nothing is sent.
# lab: state=nvme limit=480
# shellcheck source=tests/lab/lib-nvme.sh
source "${LAB_LIB%.sh}-nvme.sh"

follows() {
  local disk
  for disk in $(disks_with "$(uuid_of first)"); do
    shows_size "$disk" "$1" || return
  done
}

shown_size() {
  [[ $(volgrow --json status volume-first | jq 'first(.. | .size_bytes? // empty)') == "$(bytes "$1")" ]]
}

need start_volgrowd
need register_namespace volume-first "$storage" first 127.0.0.1 127.0.0.2
watch_rescans
grow_namespace first 2G
announce "$storage" 1
need await 10 follows 2G
check "what the kernel did by itself is on the bus" await 10 shown_size 2G
volume_changed volume-first 2G
same "the event that comes afterwards finds everything right" unchanged "$job_state"
same "and no controller is rescanned" 0 "$(all_controller_rescans)"
namespace_sized "all layers agree" 2G first

# nvmet looks at its volume with our Identify, and announces what it found: the kernel and we may both be at it.
grow_namespace first 3G
volume_changed volume-first 3G
same "a growth that our own question makes known ends well" complete "$job_state"
namespace_sized "and all layers agree" 3G first
measured "$(all_controller_rescans) rescans were asked for beside the announced ones"
finish
