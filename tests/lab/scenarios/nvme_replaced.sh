#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Another volume is shown under the namespace's number: it is not taken over, and nothing is sent that would make the
# kernel take the disk away.
# lab: state=nvme limit=480
# shellcheck source=tests/lab/lib-nvme.sh
source "${LAB_LIB%.sh}-nvme.sh"

head=$(namespace_of first)

need silence "$storage"
need start_volgrowd
need register_namespace volume-first "$storage" first 127.0.0.1 127.0.0.2
watch_rescans
truncate --size=2G "$volumes/third"
replace_namespace "$storage" 1 third
volume_changed volume-first 2G
same "the job of the pinned volume fails" failed "$job_state"
same "for the volume is not there any more" NoSuchDevice "$(field .error.name)"
matches "the answer names the one that is there instead" "uuid.$(uuid_of third | tr --delete -)" "$(field .error.message)"
volgrow_ends "without a pin it is not taken over either" 4 extend "dev:$head" --expect 2G
same "no controller was rescanned" 0 "$(all_controller_rescans)"
same "the disk is still there, at its size" $((1 << 30)) "$(kernel_size "$head")"
measured "$(field .error.message)"
finish
