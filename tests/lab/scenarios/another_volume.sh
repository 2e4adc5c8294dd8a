#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Another volume answers under a LUN of the map: refused by identity, and the kernel is told to rescan nothing.
# lab: limit=240
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

one=$(disk_of pair 127.0.0.1 0)
two=$(disk_of pair 127.0.0.2 0)
gib=$((1 << 30))

need start_volgrowd
need register_volume volume-first pair 0 127.0.0.1 127.0.0.2
watch_rescans
unmap_lun pair 0
map_lun pair 0 fourth
volgrow_ends "extend is refused" 6 extend volume-first --expect 2G --timeout 5s
same "because of its identity" WwidMismatch "$(field .error.name)"
same "nothing was rescanned" 0 "$(all_rescans)"
same "no size has changed" "$gib $gib $gib" \
  "$(kernel_size "$one") $(kernel_size "$two") $(kernel_size "$(map_of first)")"
measured "$(field .error.message)"
finish
