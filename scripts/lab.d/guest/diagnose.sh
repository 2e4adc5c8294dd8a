#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Says for each line on standard input what every process waits in, and the end of the kernel's log; the line
# itself comes back as the end of the answer. It runs from the start, and starts little itself: when a job hangs,
# new programs may hang too.

waiting() {
  local process word words
  for process in /proc/[0-9]*; do
    mapfile -d '' -t words <"$process/cmdline"
    ((${#words[@]} > 0)) || continue
    read -r word <"$process/wchan" || [[ -n $word ]] || continue
    printf '%6s %s %-24s %.100s\n' "${process##*/}" "$(state_of "$process")" "$word" "${words[*]}"
  done 2>/dev/null
}

state_of() {
  local words
  read -r -a words <"$1/stat"
  echo "${words[2]}"
}

asleep_in_kernel() {
  local process
  for process in /proc/[0-9]*; do
    [[ $(state_of "$process") == D ]] || continue
    printf '%s %s\n%s\n' "${process##*/}" "$(<"$process/comm")" "$(<"$process/stack")"
  done 2>/dev/null
}

sessions() {
  local session
  for session in /sys/class/iscsi_session/session*; do
    [[ -e $session ]] || continue
    echo "${session##*/} $(<"$session/state") recovery_tmo $(<"$session/recovery_tmo")"
  done
}

while read -r mark; do
  echo "-- processes: number, state, what it waits in, command"
  waiting
  echo "-- asleep in the kernel"
  asleep_in_kernel
  echo "-- disks and sessions"
  lsscsi --size
  sessions
  echo "-- end of the kernel's log"
  dmesg | tail --lines=60
  echo "$mark"
done 2>&1
