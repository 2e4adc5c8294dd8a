#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A LUN that is taken away, and its number given to another volume: how a stale disk becomes somebody else's.
# lab: limit=240
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

scsi_identity() {
  echo "naa.6001405$(serial_of "$1")"
}

identity_in_sysfs() {
  cat "/sys/block/$disk/device/wwid"
}

serial_in_udev() {
  udevadm settle
  udevadm info --query=property --property=ID_SERIAL --value "/dev/$disk"
}

unmapped() {
  watch_events
  unmap_lun single 1
  same "an unmapped LUN's disk keeps its size" $((512 << 20)) "$(kernel_size "$disk")"
  same "READ CAPACITY of it fails" "" "$(target_size "$disk" 2>/dev/null)"
  check "a rescan write on it succeeds" rescan "$disk"
  same "its size is then 0" 0 "$(kernel_size "$disk")"
  same "and it is still 'running'" running "$(disk_state "$disk")"
  same "N -> 0 is not announced with RESIZE=1" 0 "$(events_of "$disk" RESIZE=1)"
}

mapped_again() {
  map_lun single 1 fourth
  check "a rescan repairs a disk of size 0 whose LUN is back" rescan "$disk"
  same "its size is right again" $((512 << 20)) "$(kernel_size "$disk")"
  same "0 -> N is not announced with RESIZE=1 either" 0 "$(events_of "$disk" RESIZE=1)"
  sg_turs "/dev/$(disk_of single 127.0.0.3 0)" 2>/dev/null
  same "LIO tells the next command of the session that its list of LUNs changed" 1 \
    "$(events | grep --count SDEV_UA=REPORTED_LUNS_DATA_HAS_CHANGED)"
  stop_watching
}

given_to_another() {
  unmap_lun single 1
  map_lun single 1 fifth
  same "the number given away: sysfs shows the old identity" "$(scsi_identity fourth)" "$(identity_in_sysfs)"
  matches "a live INQUIRY shows the new one" "$(serial_of fifth)" "$(sg_inq --page=0x83 "/dev/$disk" | tr -d ' ')"
  same "and the disk has the old size" $((512 << 20)) "$(kernel_size "$disk")"
  check "a rescan write succeeds" rescan "$disk"
  same "the disk has silently the size of another volume" $((256 << 20)) "$(kernel_size "$disk")"
  same "and its identity in sysfs" "$(scsi_identity fifth)" "$(identity_in_sysfs)"
  same "and in udev" "$(wwid_of fifth)" "$(serial_in_udev)"
}

# LIO has something to show as LUN 0, so that a host can ask which LUNs there are.
unmapped_zero() {
  disk=$(disk_of single 127.0.0.3 0)
  unmap_lun single 0
  same "LIO answers for an unmapped LUN 0 with 32 KiB of nobody's" 32768 "$(target_size "$disk")"
  check "a rescan write succeeds" rescan "$disk"
  same "and the disk is 32 KiB large" 32768 "$(kernel_size "$disk")"
  same "and read-only" 1 "$(cat "/sys/block/$disk/ro")"
}

map_lun single 1 fourth
scan single 127.0.0.3
disk=$(await_disk single 127.0.0.3 1)
unmapped
mapped_again
given_to_another
unmapped_zero
finish
