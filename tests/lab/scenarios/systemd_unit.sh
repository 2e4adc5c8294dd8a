#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# volgrowd as systemd runs it, in its sandbox: it starts, grows a loop device and a SCSI disk, and comes back.
# lab: state=systemd limit=300
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

main_pid() {
  systemctl show --property MainPID --value volgrowd.service
}

starts() {
  check "systemd starts volgrowd, which says when it is ready" systemctl start volgrowd.service
  check "its journal says nothing worse than info" not grep --quiet . <(journalctl --quiet --unit volgrowd --priority warning)
  same "it has the four capabilities the unit names" 0000000000221004 \
    "$(awk '$1 == "CapEff:" { print $2 }' "/proc/$(main_pid)/status")"
  same "it is more urgent than udev's programs" -10 "$(awk '{ print $19 }' "/proc/$(main_pid)/stat")"
  matches "systemd-analyze security" 'OK' "$(systemd-analyze security --no-pager volgrowd.service | tail --lines=1)"
  measured "$(systemd-analyze security --no-pager volgrowd.service | tail --lines=1)"
}

grows_a_loop_device() {
  local loop
  mkdir -p "$volumes"
  truncate --size=64M "$volumes/file"
  loop=$(losetup --find --show "$volumes/file")
  truncate --size=128M "$volumes/file"
  volgrow_ends "a loop device grows in the sandbox" 0 extend "$loop" --expect 128M
  same "BLKGETSIZE64 agrees" $((128 << 20)) "$(blockdev --getsize64 "$loop")"
}

grows_a_disk() {
  local disk
  make_volume alone 256M
  make_target unit 127.0.0.1
  map_lun unit 0 alone
  need log_in unit
  disk=$(await_disk unit 127.0.0.1 0)
  resize_volume alone 512M
  volgrow_ends "a SCSI disk grows in the sandbox, which has its sg node" 0 extend "dev:$disk" --expect 512M
  sized "grown" 512M "$disk"
}

comes_back() {
  local before
  before=$(main_pid)
  kill -KILL "$before"
  check "killed, it is started again" await 30 is_another "$before"
  volgrow_ends "and answers" 0 list
}

is_another() {
  [[ $(main_pid) != "$1" && $(main_pid) != 0 ]] && on_the_bus
}

starts
grows_a_loop_device
grows_a_disk
comes_back
finish
