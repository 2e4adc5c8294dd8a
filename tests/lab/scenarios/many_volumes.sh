#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A hundred volumes of two paths each grow at once.
# lab: state=many limit=1200
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

count=100

register_them() {
  local lun
  for ((lun = 0; lun < count; lun++)); do
    register_volume "volume-$((lun + 1))" many "$lun" 127.0.0.6 127.0.0.7 || return
  done
}

grow_them() {
  local number
  for ((number = 1; number <= count; number++)); do
    resize_volume "many-$number" 128M
  done
}

all_grown() {
  local number grown=0
  for ((number = 1; number <= count; number++)); do
    [[ $(device_size "$(map_of "many-$number")") -ne $((128 << 20)) ]] || grown=$((grown + 1))
  done
  echo "$grown"
}

need start_volgrowd
need register_them
grow_them
milliseconds volgrow --json rescan --all --timeout 10min >/tmp/answers.json
same "every job ends well" 0 $?
jq --raw-output '.. | objects | select(.error? != null) | "measured: \(.volume_id) \(.state): \(.error.message)"' /tmp/answers.json
same "every map has its new size" "$count" "$(all_grown)"
same "no worker is stuck" 0 "$(manager_property StuckWorkers)"
measured "$count volumes of two paths at once: $elapsed_ms ms"
finish
