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
job=$(busctl --json=short call org.volgrow.Agent1 /org/volgrow/Agent1 org.volgrow.Agent1.Manager VolumeChanged \
  'sta{sv}' volume-first "$(bytes 2G)" 0 | jq --raw-output '.data[0]')
need await 20 asked_once
kill -KILL "$volgrowd_pid"
wait "$volgrowd_pid" 2>/dev/null
need start_volgrowd
busctl --json=short --timeout=60 call org.volgrow.Agent1 "$job" org.volgrow.Agent1.Job Wait u 50000 >/tmp/job.json
matches "the same job ends well after the restart" "complete|unchanged" "$(jq --raw-output '.data[0]' /tmp/job.json)"
namespace_sized "all layers agree" 2G first
check "the volume is well" await 10 volume_is volume-first ok
measured "state $(jq --raw-output '.data[0]' /tmp/job.json), $(all_controller_rescans) rescans in both lives"
finish
