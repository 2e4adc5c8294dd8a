#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How sysfs shows Fibre Channel: which remote port leads to which disks, and what a LIP does to them.
# lab: state=fc limit=240 quick=no
# shellcheck source=tests/lab/lib-fc.sh
source "${LAB_LIB%.sh}-fc.sh"

host=$(fc_host_of initiator 1)
port=$(remote_port_of 1)
folder=/sys/class/fc_remote_ports/$port
disk=$(fc_disk 1 0)

a_port_and_its_targets() {
  local target
  target=$(basename "$folder"/device/target*)
  same "our port is an fc_host with its WWN" "0x$(wwn_of initiator 1)" \
    "$(cat "/sys/class/fc_host/$host/port_name")"
  matches "a remote port is named by that host" "^rport-${host#host}:" "$port"
  same "its target is in its folder, numbered by scsi_target_id" "$(cat "$folder/scsi_target_id")" "${target##*:}"
  same "and has the remote port's WWN" "$(cat "$folder/port_name")" "$(cat "/sys/class/fc_transport/$target/port_name")"
  same "a disk is below both" "$port $target" \
    "$(readlink --canonicalize "/sys/block/$disk" | grep --only-matching --extended-regexp 'rport-[0-9:-]+|target[0-9:]+' | xargs)"
}

ports_that_lead_nowhere() {
  local host initiator
  host=$(fc_host_of target 1)
  initiator=/sys/class/fc_remote_ports/rport-${host#host}:0-0
  same "an initiator is a remote port too" "0x$(wwn_of initiator 1)" "$(cat "$initiator/port_name")"
  same "with no number of a target" -1 "$(cat "$initiator/scsi_target_id")"
  same "and no target" "" "$(find "$initiator/device/" -maxdepth 1 -name 'target*')"
}

# The port is no PCI function: who looks for disks by the names of links finds none of them.
no_names_by_path() {
  same "udev has no name by path for it" 0 "$(udevadm info --query=symlink "/dev/$disk" | grep --count by-path)"
}

a_lip() {
  watch_events
  milliseconds need lip 1
  check "after a LIP the map has both paths again" await_map first 2
  same "the disk is the same" "$disk" "$(fc_disk 1 0)"
  same "no disk went or came" 0 "$(events | grep 'DEVTYPE=disk' | grep --count --extended-regexp 'ACTION=(add|remove)')"
  measured "issue_lip to Online again $elapsed_ms ms"
  stop_watching
}

a_port_and_its_targets
ports_that_lead_nowhere
no_names_by_path
a_lip
finish
