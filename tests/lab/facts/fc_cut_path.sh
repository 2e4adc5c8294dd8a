#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A Fibre Channel path whose frames are dropped while the link stays up: nothing shows it, and a rescan sleeps until
# the error handler has tried everything.
# lab: state=fc limit=400 quick=no
# shellcheck source=tests/lab/lib-fc.sh
source "${LAB_LIB%.sh}-fc.sh"

disk=$(fc_disk 1 2)

asleep() {
  grep --quiet '^State:.D' "/proc/$1/status"
}

wait_ended() {
  await 200 test ! -e "/proc/$1"
}

cut() {
  cut_fabric 1
  resize_volume third 2G
  started=$(now_ms)
  rescan "$disk" &
  rescan=$!
  check "a rescan sleeps in the kernel" await 10 asleep "$rescan"
  same "disk and port show nothing" "running Online" "$(disk_state "$disk") $(port_attribute 1 port_state)"
  milliseconds kernel_size "$disk" >/dev/null
  check "reading the size does not block meanwhile" test "$elapsed_ms" -lt 1000
  kill -KILL "$rescan"
  check "SIGKILL has no effect on it" asleep "$rescan"
}

# 30 s for a command, then abort, reset of the LUN, the target and the host, each with its own timeout.
ends() {
  need wait_ended "$rescan"
  elapsed_ms=$(($(now_ms) - started))
  check "it sleeps longer than a command's 30 s" test "$elapsed_ms" -gt 30000
  measured "rescan of a disk cut off in silence slept $elapsed_ms ms; then the disk is '$(disk_state "$disk")', port" \
    "'$(port_attribute 1 port_state)', size $(kernel_size "$disk")"
}

back() {
  heal_fabric 1
  need await_port 1 Online
  need await_running "$disk"
  rescan "$disk"
  sized "healed, a rescan mends it" 2G "$disk"
}

cut
ends
back
finish
