#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fifty volumes of two paths each grow at once.
# lab: limit=900
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

count=50

volumes_named() {
  seq --format="many-%g" 1 "$count"
}

make_them() {
  local name lun=0
  make_target many 127.0.0.6 127.0.0.7
  for name in $(volumes_named); do
    make_volume "$name" 64M
    map_lun many "$((lun++))" "$name"
  done
  log_in many
  for name in $(volumes_named); do
    await_map "$name" 2 || return
  done
}

register_them() {
  local lun
  for ((lun = 0; lun < count; lun++)); do
    register_volume "volume-$((lun + 1))" many "$lun" 127.0.0.6 127.0.0.7 || return
  done
}

all_grown() {
  local name grown=0
  for name in $(volumes_named); do
    [[ $(device_size "$(map_of "$name")") -ne $((128 << 20)) ]] || grown=$((grown + 1))
  done
  echo "$grown"
}

need make_them
need start_volgrowd
need register_them
for name in $(volumes_named); do
  resize_volume "$name" 128M
done
milliseconds volgrow --json rescan --all >/tmp/answers.json
same "every job ends well" 0 $?
same "every map has its new size" "$count" "$(all_grown)"
same "no worker is stuck" 0 "$(manager_property StuckWorkers)"
measured "$count volumes of two paths at once: $elapsed_ms ms"
finish
