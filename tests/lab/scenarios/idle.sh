#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A hundred registered volumes to which nothing happens: volgrowd wakes for its audit, and without one not at all.
# lab: limit=240 quick=no
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

# The processes of volgrowd: itself, the zygote and kept workers.
processes() {
  pgrep --exact volgrowd
}

wakes() {
  local pid sum=0
  for pid in $(processes); do
    sum=$((sum + $(awk '/^voluntary_ctxt_switches/ { print $2 }' "/proc/$pid/status")))
  done
  echo "$sum"
}

make_loops() {
  local number
  mkdir -p /tmp/loops
  for number in {1..100}; do
    truncate --size=1M "/tmp/loops/$number"
    losetup --find --show "/tmp/loops/$number"
  done >/tmp/loops.list
}

register_loops() {
  local number=0 loop
  while read -r loop; do
    number=$((number + 1))
    jq --null-input --arg path "$loop" '{driver_volume_type: "local", data: {device_path: $path}}' |
      volgrow --quiet register "idle-$number" --connection - || return
  done </tmp/loops.list
}

# wakes_in SECONDS: of all processes together. An idle machine is what is measured: nothing is waited for.
wakes_in() {
  local before
  before=$(wakes)
  need pause "$1"
  echo $(($(wakes) - before))
}

settled() {
  local before
  before=$(wakes)
  pause 3 || return
  [[ $(wakes) == "$before" ]]
}

printf '[events]\naudit_interval_s = 0\n' >/tmp/quiet.toml
need make_loops
need start_volgrowd --config /tmp/quiet.toml
need register_loops
need await 60 settled
same "without an audit nothing wakes volgrowd in 20 s" 0 "$(wakes_in 20)"
stop_volgrowd
printf '[events]\naudit_interval_s = 600\n' >/tmp/audit.toml
need start_volgrowd --config /tmp/audit.toml
need await 60 settled
with_audit=$(wakes_in 30)
check "with the audit of a hundred volumes in ten minutes it wakes for five looks in 30 s" test "$with_audit" -le 60
check "and it does look" test "$with_audit" -gt 0
measured "wake-ups of all processes in 30 s with 100 volumes: 0 without an audit per 20 s, $with_audit with one"
finish
