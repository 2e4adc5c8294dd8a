#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A LUN of a Fibre Channel target that is taken away, comes back, and is given to another volume.
# lab: state=fc limit=240 quick=no
# shellcheck source=tests/lab/lib-fc.sh
source "${LAB_LIB%.sh}-fc.sh"

disk=$(fc_disk 1 2)
gib=$((1 << 30))

announced() {
  events | grep --quiet SDEV_UA=REPORTED_LUNS_DATA_HAS_CHANGED
}

unmapped() {
  watch_events
  unmap_fc_lun 1 2
  same "an unmapped LUN's disk keeps its size" "$gib" "$(kernel_size "$disk")"
  same "READ CAPACITY of it fails" "" "$(target_size "$disk" 2>/dev/null)"
  check "a rescan write on it succeeds" rescan "$disk"
  same "its size is then 0" 0 "$(kernel_size "$disk")"
  same "and it is still 'running', its port 'Online'" "running Online" "$(disk_state "$disk") $(port_attribute 1 port_state)"
  same "N -> 0 is not announced with RESIZE=1" 0 "$(events_of "$disk" RESIZE=1)"
}

mapped_again() {
  map_fc_lun 1 2 third
  check "a rescan repairs it when the LUN is back" rescan "$disk"
  same "its size is right again" "$gib" "$(kernel_size "$disk")"
  sg_turs "/dev/$(fc_disk 1 0)" 2>/dev/null
  check "the next command of the port is told that its list of LUNs changed" await 5 announced
  stop_watching
}

given_to_another() {
  unmap_fc_lun 1 2
  map_fc_lun 1 2 fifth
  same "the number given away: sysfs shows the old identity" "naa.6001405$(serial_of third)" \
    "$(cat "/sys/block/$disk/device/wwid")"
  matches "a live INQUIRY shows the new one" "$(serial_of fifth)" "$(sg_inq --page=0x83 "/dev/$disk" | tr --delete ' ')"
  check "a rescan write succeeds" rescan "$disk"
  same "the disk has silently the size of another volume" $((256 << 20)) "$(kernel_size "$disk")"
}

unmapped
mapped_again
given_to_another
finish
