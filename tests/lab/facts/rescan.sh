#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A rescan write on a SCSI disk: what it tells (nothing), when it does something, and what is announced.
# lab: limit=240
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

disk=$(disk_of single 127.0.0.3 0)
gib=$((1 << 30))

silent_growth() {
  watch_events
  resize_volume third 2G
  sg_turs "/dev/$disk"
  same "LIO grows silently: the kernel shows the old size" "$gib" "$(kernel_size "$disk")"
  same "the target itself says the new size at once" $((2 * gib)) "$(target_size "$disk")"
  same "after a command on the path the kernel still shows the old size" "$gib" "$(kernel_size "$disk")"
  same "no capacity unit attention was announced" 0 "$(events | grep --count SDEV_UA=)"
}

rescan_takes_it_over() {
  milliseconds rescan "$disk"
  same "a rescan write on a running disk succeeds" 0 $?
  same "when it returns the kernel's size is final" $((2 * gib)) "$(kernel_size "$disk")"
  same "and so is BLKGETSIZE64" $((2 * gib)) "$(device_size "$disk")"
  same "the change is announced with RESIZE=1" 1 "$(events_of "$disk" RESIZE=1)"
  measured "rescan of a running disk $elapsed_ms ms"
  stop_watching
}

# in_state WORD: a rescan in that state "succeeds" and does nothing.
in_state() {
  echo "$1" >"/sys/block/$disk/device/state"
  milliseconds rescan "$disk"
  same "a rescan write on a disk that is '$1' succeeds" 0 $?
  same "and did nothing" $((2 * gib)) "$(kernel_size "$disk")"
  measured "rescan of a disk that is '$1' $elapsed_ms ms"
  echo running >"/sys/block/$disk/device/state"
}

silent_growth
rescan_takes_it_over
resize_volume third 3G
in_state offline
rescan "$disk"
same "running again, the next rescan takes the size over" $((3 * gib)) "$(kernel_size "$disk")"
resize_volume third 1G
rescan "$disk"
same "a rescan adopts a smaller size without a question" "$gib" "$(kernel_size "$disk")"
finish
