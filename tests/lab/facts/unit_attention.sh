#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A target that announces its growth: the kernel passes it on, and rescans nothing.
# lab: state=bare
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

announced() {
  events | grep --quiet SDEV_UA=
}

modprobe scsi_debug virtual_gb=1 dev_size_mb=8
udevadm settle
disk=$(basename /sys/bus/pseudo/drivers/scsi_debug/adapter0/host*/target*/*/block/*)
need test -b "/dev/$disk"
need await 10 test -d "/sys/block/$disk/device/scsi_generic"
watch_events
echo 2 >/sys/bus/pseudo/drivers/scsi_debug/virtual_gb
udevadm settle
same "the growth is not told before the next command" 0 "$(events | grep --count SDEV_UA=)"
sg_turs "/dev/$disk" 2>/tmp/turs
sg_turs "/dev/$disk" 2>>/tmp/turs
await 5 announced
same "with it comes SDEV_UA=CAPACITY_DATA_HAS_CHANGED on the scsi device" 1 \
  "$(events | grep 'DEVTYPE=scsi_device' | grep --count SDEV_UA=CAPACITY_DATA_HAS_CHANGED)"
same "the kernel does not rescan by itself" $((1 << 30)) "$(kernel_size "$disk")"
same "and says nothing of a new size" 0 "$(events_of "$disk" RESIZE=1)"
rescan "$disk"
sized "a rescan takes it over" 2G "$disk"
same "announced with RESIZE=1" 1 "$(events_of "$disk" RESIZE=1)"
stop_watching
finish
