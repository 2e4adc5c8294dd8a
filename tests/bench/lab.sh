#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# In the lab's machine: describes volumes to bench_lab, which measures; then counts the programs that os-brick and
# volgrowd start for one volume of two paths.
#   lab.sh CASE…    1 2 4: a volume of so many paths, in the machine "targets"; 50: fifty of two, in "many"
set -euo pipefail
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

# describe ID VOLUME TARGET LUN PORTAL…
describe() {
  local map="" paths=()
  (($# == 5)) || map=$(wwid_of "$2")
  for portal in "${@:5}"; do
    paths+=("$(disk_of "$3" "$portal" "$4")")
  done
  jq --null-input --arg id "$1" --arg file "$volumes/$2" --arg loop "$(loop_of "$2")" --arg map "$map" \
    --argjson connection "$(connection "${@:3}")" \
    '{$id, $file, $loop, $map, $connection, paths: $ARGS.positional}' --args "${paths[@]}"
}

volumes_of_case() {
  local lun
  case $1 in
    1) describe bench-one third single 0 127.0.0.3 ;;
    2) describe bench-two first pair 0 127.0.0.1 127.0.0.2 ;;
    4) make_quad >&2 && describe bench-four quad quad 0 127.0.0.11 127.0.0.12 127.0.0.13 127.0.0.14 ;;
    50)
      for lun in {0..49}; do
        describe "bench-many-$lun" "many-$((lun + 1))" many "$lun" 127.0.0.6 127.0.0.7
      done
      ;;
  esac
}

make_quad() {
  make_volume quad 1G
  make_target quad 127.0.0.11 127.0.0.12 127.0.0.13 127.0.0.14
  map_lun quad 0 quad
  log_in quad
  await_map quad 4
}

name_of_case() {
  case $1 in
    1) echo "1 path" ;;
    50) echo "50 volumes, 2 paths each" ;;
    *) echo "$1 paths" ;;
  esac
}

describe_cases() {
  local one
  for one in "$@"; do
    volumes_of_case "$one" | jq --slurp --arg case "$(name_of_case "$one")" '{$case, volumes: .}'
  done | jq --slurp .
}

programs_in() {
  grep --count 'execve(.* = 0' "$1" || true
}

grow_first() {
  local size
  size=$(($(kernel_size "$(map_of first)") + (1 << 20)))
  resize_volume first "$size"
  echo "$size"
}

count_programs() {
  local size
  size=$(grow_first)
  describe bench-two first pair 0 127.0.0.1 127.0.0.2 | jq --compact-output .connection >/tmp/connection.json
  strace --follow-forks --seccomp-bpf --trace=execve --output=/tmp/brick.trace python3 brick.py \
    </dev/null >/dev/null 2>&1
  strace --follow-forks --seccomp-bpf --trace=execve --output=/tmp/brick-one.trace python3 brick.py \
    </tmp/connection.json >/dev/null 2>/tmp/brick.err
  same "os-brick grew the volume" "$size" "$(device_size "$(map_of first)")"
  kill "$volgrowd_pid" && await 20 not on_the_bus
  start_traced_volgrowd execve,execveat
  size=$(grow_first)
  volgrow_ends "volgrow grew the volume" 0 extend bench-two --expect "$size"
  measured "programs started for one volume of two paths: os-brick" \
    "$(($(programs_in /tmp/brick-one.trace) - $(programs_in /tmp/brick.trace))), volgrowd $(($(programs_in /tmp/volgrowd.trace) - 1))"
}

few_rules
# shellcheck disable=SC2119  # the arguments are cases, none of the daemon's
start_volgrowd
describe_cases "$@" >/tmp/cases.json
python3 brick.py </dev/null >/dev/null 2>&1 # the first import compiles
./bench_lab /tmp/cases.json
[[ " $* " != *" 2 "* ]] || count_programs
finish
