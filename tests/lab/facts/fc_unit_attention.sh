#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A Fibre Channel target that announces its growth (scsi_debug, passed on by LIO): the event comes with the next
# command, on one path; the kernel rescans nothing.
# lab: state=fc limit=240 quick=no
# shellcheck source=tests/lab/lib-fc.sh
source "${LAB_LIB%.sh}-fc.sh"

pass_on() {
  local source address store=$config/target/core/pscsi_0/announcing
  modprobe --all target_core_pscsi scsi_debug
  echo 1 >/sys/bus/pseudo/drivers/scsi_debug/virtual_gb
  udevadm settle
  source=$(basename /sys/bus/pseudo/drivers/scsi_debug/adapter0/host*/target*/*/block/*)
  need test -b "/dev/$source"
  address=$(address_of "$source")
  mkdir -p "$store"
  echo "scsi_host_id=${address%%:*},scsi_channel_id=0,scsi_target_id=0,scsi_lun_id=0" >"$store/control"
  echo "/dev/$source" >"$store/udev_path"
  echo 1 >"$store/enable"
  for fabric in 1 2; do
    map_fc_lun "$fabric" 5 announcing
    fc_scan "$fabric"
  done
}

# changes DISK: how often its scsi device was said to have another capacity.
changes() {
  events | grep "DEVPATH=[^ ]*/$(address_of "$1") " | grep --count SDEV_UA=CAPACITY_DATA_HAS_CHANGED
}

a_change() {
  [[ $(($(changes "$one") + $(changes "$two"))) -gt 0 ]]
}

need pass_on
one=$(await_fc_disk 1 5)
two=$(await_fc_disk 2 5)
# Its checker sends a command down every path each second, which is told first.
need stop_multipathd
watch_events
echo 2 >/sys/bus/pseudo/drivers/scsi_debug/virtual_gb
same "the growth is not told before the next command" "0 0" "$(changes "$one") $(changes "$two")"
for disk in "$one" "$one" "$two" "$two"; do
  sg_turs "/dev/$disk" >>/tmp/turs 2>&1
done
await 5 a_change
same "both paths were asked, one is told: the target has one unit attention, and LIO is its only initiator" "1 0" \
  "$(changes "$one") $(changes "$two")"
same "the kernel rescans neither" "$((1 << 30)) $((1 << 30))" "$(kernel_size "$one") $(kernel_size "$two")"
rescan "$one"
rescan "$two"
sized "a rescan of each takes it over" 2G "$one" "$two"
stop_watching
finish
