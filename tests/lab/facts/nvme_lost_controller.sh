#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A controller that is lost: what a rescan of it does (nothing, and says "ok"), who opens it, and that it is rescanned
# by itself when it is back.
# lab: state=nvme limit=240 quick=no
# shellcheck source=tests/lab/lib-nvme.sh
source "${LAB_LIB%.sh}-nvme.sh"

head=$(namespace_of first)
one=$(path_of first nvme0)
two=$(path_of first nvme1)

lost() {
  hide_subsystem 2 "$storage"
  need await_controller nvme1 connecting
  same "its path is still there" "$two" "$(path_of first nvme1)"
  milliseconds rescan_controller nvme1
  same "a rescan of a controller that is connecting succeeds" 0 $?
  measured "it took $elapsed_ms ms"
  check "its node cannot be opened" not nvme id-ns /dev/nvme1 --namespace-id=1
  matches "for it would block" "Resource temporarily unavailable|EAGAIN|would block" "$(nvme id-ns /dev/nvme1 --namespace-id=1 2>&1)"
}

grows_meanwhile() {
  grow_namespace first 2G
  announce "$storage" 1
  check "the other path follows" await 10 shows_size "$one" 2G
  check "and the head with it" await 10 shows_size "$head" 2G
  same "the lost one keeps its size" $((1 << 30)) "$(kernel_size "$two")"
  check "the new bytes can be written" dd if=/dev/zero of="/dev/$head" bs=1M count=1 seek=1500 oflag=direct
}

back() {
  watch_events
  show_subsystem 2 "$storage"
  milliseconds need await_controller nvme1 live
  measured "live again after $elapsed_ms ms"
  check "a controller that is back is rescanned by itself" await 10 shows_size "$two" 2G
  same "and says so: NVME_EVENT=connected" 1 "$(events | grep --count 'NVME_EVENT=connected')"
  stop_watching
}

lost
grows_meanwhile
back
finish
