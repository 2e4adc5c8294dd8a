#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Says for each line on standard input what every process waits in, and the end of the kernel's log; the line
# itself comes back as the end of the answer. It runs from the start: when a job hangs, nothing may be started.

waiting() {
  local process
  for process in /proc/[0-9]*; do
    [[ -s $process/cmdline ]] || continue
    printf '%6s %s %-24s %s\n' "${process##*/}" "$(awk '$1 == "State:" { print $2 }' "$process/status")" \
      "$(cat "$process/wchan")" "$(tr '\0' ' ' <"$process/cmdline" | cut --characters=1-100)"
  done
}

asleep_in_kernel() {
  local process
  for process in /proc/[0-9]*; do
    grep --quiet '^State:.D' "$process/status" || continue
    printf '\n%s %s\n' "${process##*/}" "$(cat "$process/comm")"
    cat "$process/stack"
  done
}

sessions() {
  local session
  for session in /sys/class/iscsi_session/session*; do
    [[ -e $session ]] || continue
    echo "${session##*/} $(cat "$session/state") recovery_tmo $(cat "$session/recovery_tmo")"
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
