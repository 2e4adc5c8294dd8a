#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A volume on one Fibre Channel path, without multipath, is found by every spelling of its connection_info, and grows
# while it is written to.
# lab: state=fc limit=300 quick=no
# shellcheck source=tests/lab/lib-fc.sh
source "${LAB_LIB%.sh}-fc.sh"

disk=$(fc_disk 1 2)

# found SENTENCE JQ_FILTER: the connection, changed so, leads to the disk.
found() {
  fc_connection 2 1 | jq "$2" >/tmp/connection.json
  volgrow_ends "$1" 0 plan --connection /tmp/connection.json
  same "$1: the disk" "$disk" "$(field '.layers[0].device')"
}

spellings() {
  found "as drivers write it" .
  found "in capitals" '.data.target_wwn[0] |= ascii_upcase'
  found "with colons" '.data.target_wwn[0] |= ([scan("..")] | join(":"))'
  found "with 0x, as text, the LUN as text" '.data.target_wwn |= "0x" + .[0] | .data.target_lun |= tostring'
  found "by lists" '.data |= {target_wwns: .target_wwn, target_luns: [.target_lun]}'
  found "with a map of another host's ports" '.data.initiator_target_map |= {"21000024ff0000aa": ["2000020000000102"]}'
}

not_found() {
  fc_connection 2 1 | jq '.data.initiator_target_map |= {"2000020000000201": .[]}' >/tmp/connection.json
  volgrow_ends "with a map that allows only our other port" 4 plan --connection /tmp/connection.json
  fc_connection 3 1 >/tmp/connection.json
  volgrow_ends "with a LUN that is not there" 4 plan --connection /tmp/connection.json
  fc_connection 2 1 | jq '.data.target_wwn = "2000"' >/tmp/connection.json
  volgrow_ends "with a WWN that is none" 2 plan --connection /tmp/connection.json
  matches "the key is named" 'data.target_wwn is' "$(cat /tmp/volgrow.err)$answer"
}

need start_volgrowd
need start_io "$disk" 16 16
watch_rescans
spellings
not_found
same "nothing was rescanned" 0 "$(all_rescans)"
need register_fc_volume volume-third 2 1
resize_volume third 2G
milliseconds volume_changed volume-third 2G
same "the job of VolumeChanged ends" complete "$job_state"
same "by one rescan" "1 1" "$(rescans_of "$disk") $(all_rescans)"
sized "all layers agree" 2G "$disk"
check "I/O that ran meanwhile: no error, no byte differs" stop_io
measured "VolumeChanged to the end of Wait $elapsed_ms ms, the job itself $(field .duration_us) us"
finish
