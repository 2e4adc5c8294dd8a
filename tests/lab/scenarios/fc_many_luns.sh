#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Five LUNs of the same ports grow at once, four of them maps of two paths: each has its own size, by one rescan of
# each of its paths.
# lab: state=fc limit=400 quick=no
# shellcheck source=tests/lab/lib-fc.sh
source "${LAB_LIB%.sh}-fc.sh"

# size of each volume when all is done, by its LUN
declare -A new_sizes=([first]=2G [second]=3G [third]=4G [fourth]=1G [fifth]=768M)
declare -A luns=([first]=0 [second]=1 [third]=2 [fourth]=3 [fifth]=258)
declare -A fabrics=([first]="1 2" [second]="1 2" [third]="1" [fourth]="1 2" [fifth]="1 2")

two_more() {
  local fabric
  for fabric in 1 2; do
    map_fc_lun "$fabric" 3 fourth
    map_fc_lun "$fabric" 258 fifth
    fc_scan "$fabric"
  done
  await_map fourth 2 && await_map fifth 2
}

register_them() {
  local volume
  for volume in "${!luns[@]}"; do
    # shellcheck disable=SC2086  # fabrics are words
    register_fc_volume "volume-$volume" "${luns[$volume]}" ${fabrics[$volume]} || return
  done
}

grow_them() {
  local volume jobs=()
  for volume in "${!luns[@]}"; do
    resize_volume "$volume" "${new_sizes[$volume]}"
  done
  for volume in "${!luns[@]}"; do
    volgrow --json extend "volume-$volume" --expect "${new_sizes[$volume]}" --timeout 90s >"/tmp/$volume.json" 2>&1 &
    jobs+=($!)
  done
  wait "${jobs[@]}"
}

each_has_its_size() {
  local volume fabric
  for volume in first second third fourth fifth; do
    answer=$(<"/tmp/$volume.json")
    same "$volume" complete "$(field .state)"
    for fabric in ${fabrics[$volume]}; do
      sized "$volume" "${new_sizes[$volume]}" "$(fc_disk "$fabric" "${luns[$volume]}")"
    done
    [[ $volume == third ]] || map_sized "$volume" "${new_sizes[$volume]}" "$volume"
  done
}

need two_more
need start_volgrowd
need register_them
watch_rescans
milliseconds grow_them
measured "five volumes, nine paths, at once: $elapsed_ms ms"
each_has_its_size
same "each path was rescanned once" 9 "$(all_rescans)"
finish
