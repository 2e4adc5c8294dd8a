#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs jobs that the machine outside sends: a tar archive for /, of which /lab/start is then run as root. What
# the job prints goes outside as it is, and after it a line with the job's own mark and its status.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8

port_called() {
  local name
  until name=$(grep --files-with-matches --line-regexp "$1" /sys/class/virtio-ports/*/name); do
    udevadm settle
  done
  name=${name%/name}
  echo "/dev/${name##*/}"
}

# A port can be opened once, but programs open /dev/stderr again: they get a pipe, and cat has the port.
exec {outside}<>"$(port_called lab.job)" {watcher}<>"$(port_called lab.watch)"
exec > >(exec cat >&"$outside") 2>&1
/usr/lib/lab/diagnose.sh <&"$watcher" >&"$watcher" 2>&1 &
echo 1 >/proc/sys/kernel/sysrq

take_job() {
  local word epoch bytes
  read -r word mark epoch bytes <&"$outside" || return
  [[ $word == JOB ]] || return
  date --set="@$epoch" >/dev/null
  rm --recursive --force /lab/job /lab/start
  head --bytes="$bytes" <&"$outside" | tar --directory=/ --extract --keep-directory-symlink --no-same-owner
}

run_job() (
  exec {outside}<&- {watcher}<&- </dev/null
  unset mark
  cd /lab || exit
  exec /lab/start
)

echo "LAB-READY $(cut --delimiter=' ' --fields=1 /proc/uptime)"
while take_job; do
  run_job
  printf '%s %d\n' "$mark" $?
done
