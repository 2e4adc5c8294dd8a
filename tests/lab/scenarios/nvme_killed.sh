#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The daemon is killed between the rescan and the size: it takes the job up again, measures what is there, and ends it.
# lab: state=nvme limit=480 quick=no
# shellcheck source=tests/lab/lib-nvme.sh
source "${LAB_LIB%.sh}-nvme.sh"

head=$(namespace_of first)

asked_once() {
  (($(all_controller_rescans) > 0))
}

need silence "$storage"
need start_volgrowd
need register_namespace volume-first "$storage" first 127.0.0.1 127.0.0.2
watch_rescans
grow_namespace first 2G
need begin_job volume-first 2G
need await 20 asked_once
need restart_killed_volgrowd
need await_job
matches "the same job ends well after the restart" "complete|unchanged" "$job_state"
namespace_sized "all layers agree" 2G first
check "the volume is well" await 10 volume_is volume-first ok
measured "state $job_state, $(all_controller_rescans) rescans in both lives"
finish
