#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A remote port that stays away longer than dev_loss_tmo takes its disks with it; what comes back is another disk.
# lab: state=fc limit=300 quick=no
# shellcheck source=tests/lab/lib-fc.sh
source "${LAB_LIB%.sh}-fc.sh"

disk=$(fc_disk 1 2)
diskseq=$(<"/sys/block/$disk/diskseq")
port=$(remote_port_of 1)

lost() {
  port_attribute 1 dev_loss_tmo 8
  resize_volume third 2G
  link 1 down
  check "after dev_loss_tmo the port is 'Not Present'" await_port 1 "Not Present"
  check "and its disk is gone" await 20 not is_there
  same "with all its targets" "" "$(find "/sys/class/fc_remote_ports/$port/device/" -maxdepth 1 -name 'target*')"
}

is_there() {
  [[ $(<"/sys/block/$disk/diskseq") == "$diskseq" ]]
}

back() {
  link 1 up
  check "the link back, the same port is 'Online'" await_port 1 Online
  same "under its old name" "$port" "$(remote_port_of 1)"
  disk=$(await_fc_disk 1 2)
  check "its disk is another one" test "$(<"/sys/block/$disk/diskseq")" -gt "$diskseq"
  sized "with the size the target has now" 2G "$disk"
}

lost
back
finish
