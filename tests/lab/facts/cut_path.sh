#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A path whose frames are dropped in silence: what blocks, for how long, and how it comes back.
# lab: limit=300
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

disk=$(disk_of single 127.0.0.3 0)
gib=$((1 << 30))

cut() {
  cut_portal 127.0.0.3
  resize_volume third 2G
  same "a path cut in silence is 'running' at first" running "$(disk_state "$disk")"
  rescan "$disk" &
  await 10 asleep $!
  same "a rescan sleeps in the kernel" 0 $?
  milliseconds kernel_size "$disk" >/dev/null
  check "reading the size does not block meanwhile" test "$elapsed_ms" -lt 1000
  kill -KILL $!
  check "SIGKILL has no effect on it" asleep $!
  milliseconds wait_ended $!
  measured "rescan of a path cut in silence slept $elapsed_ms ms more (noop 2 + 2 s, recovery_tmo 5 s)"
  same "when it ends the size is the old one, not 0" "$gib" "$(kernel_size "$disk")"
}

asleep() {
  grep --quiet '^State:.D' "/proc/$1/status"
}

wait_ended() {
  await 60 test ! -e "/proc/$1"
}

given_up() {
  need await_dead "$disk"
  same "the session is not logged in" FREE "$(cat "/sys/class/iscsi_session/$(sessions_of single 127.0.0.3)/state")"
  check "a rescan write on a disk that is 'transport-offline' succeeds" rescan "$disk"
  same "and does nothing" "$gib" "$(kernel_size "$disk")"
  same "its target cannot be asked" "" "$(target_size "$disk" 2>/dev/null)"
}

back() {
  heal_portal 127.0.0.3
  need await_running "$disk"
  same "back, it is 'running' with its old size" "$gib" "$(kernel_size "$disk")"
  rescan "$disk"
  sized "one rescan mends it" 2G "$disk"
}

cut
given_up
back
finish
