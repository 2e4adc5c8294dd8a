#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A rescan write on a Fibre Channel disk whose link is down "succeeds" in every state; and what a disk shows when its
# link is back.
# lab: state=fc limit=300 quick=no
# shellcheck source=tests/lab/lib-fc.sh
source "${LAB_LIB%.sh}-fc.sh"

disk=$(fc_disk 1 2)
gib=$((1 << 30))

running() {
  resize_volume third 2G
  sg_turs "/dev/$disk"
  same "LIO grows silently over FC too" "$gib" "$(kernel_size "$disk")"
  milliseconds check "a rescan write on a running disk succeeds" rescan "$disk"
  sized "and takes the size over" 2G "$disk"
  measured "rescan of a running disk $elapsed_ms ms"
}

# does_nothing STATE: as the disk's device/state has it.
does_nothing() {
  need await 40 is_in_state "$disk" "$1"
  milliseconds check "a rescan write on a disk that is '$1' succeeds" rescan "$disk"
  measured "rescan of a disk that is '$1' $elapsed_ms ms; port $(port_attribute 1 port_state)"
  same "and does nothing" $((2 * gib)) "$(kernel_size "$disk")"
}

link_down() {
  resize_volume third 3G
  link 1 down
  does_nothing blocked
  same "the remote port of a link that is down is" Blocked "$(port_attribute 1 port_state)"
  does_nothing transport-offline
  same "given up after fast_io_fail_tmo, the port is still" Blocked "$(port_attribute 1 port_state)"
}

link_up() {
  link 1 up
  need await_port 1 Online
  need await_running "$disk"
  same "back, the disk is 'running' with its old size" $((2 * gib)) "$(kernel_size "$disk")"
  rescan "$disk"
  sized "one rescan mends it" 3G "$disk"
}

running
link_down
link_up
finish
