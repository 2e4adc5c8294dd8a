#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Twelve namespaces of one subsystem, whose target never announces, grow at once: rescans of a controller are shared
# by all who wait for one. Two would do if all asked at the same moment; how far they come apart is the machine's.
# lab: state=nvme limit=600 quick=no
# shellcheck source=tests/lab/lib-nvme.sh
source "${LAB_LIB%.sh}-nvme.sh"

count=12

make_them() {
  local number
  for ((number = 1; number <= count; number++)); do
    make_namespace "$storage" "$((number + 10))" "many-$number" 64M
  done
  for ((number = 1; number <= count; number++)); do
    await_namespace "many-$number" 2 || return
  done
}

register_them() {
  local number
  for ((number = 1; number <= count; number++)); do
    register_namespace "volume-$number" "$storage" "many-$number" 127.0.0.1 127.0.0.2 || return
  done
}

grow_them() {
  local number
  for ((number = 1; number <= count; number++)); do
    grow_namespace "many-$number" 128M
  done
}

all_grown() {
  local number grown=0
  for ((number = 1; number <= count; number++)); do
    [[ $(device_size "$(namespace_of "many-$number")") -ne $((128 << 20)) ]] || grown=$((grown + 1))
  done
  echo "$grown"
}

few_rules
need make_them
need silence "$storage"
need start_volgrowd
need register_them
watch_rescans
grow_them
milliseconds volgrow --json rescan --all --timeout 2min >/tmp/answers.json
same "every job ends well" 0 $?
same "every namespace has its new size" "$count" "$(all_grown)"
one=$(controller_rescans_of nvme0)
two=$(controller_rescans_of nvme1)
check "a rescan of nvme0 serves two or more of them" test "$one" -ge 1 -a "$one" -le $((count / 2))
check "so does one of nvme1" test "$two" -ge 1 -a "$two" -le $((count / 2))
same "no worker is stuck" 0 "$(manager_property StuckWorkers)"
measured "$count namespaces of two paths at once: $elapsed_ms ms, rescans of nvme0 $one, of nvme1 $two"
finish
