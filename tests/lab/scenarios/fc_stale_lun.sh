#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A LUN is taken away at the storage, and then its number is another volume's: the stale disk is not rescanned, which
# would make it 0 bytes large or the other volume, and the job says what is wrong.
# lab: state=fc limit=300 quick=no
# shellcheck source=tests/lab/lib-fc.sh
source "${LAB_LIB%.sh}-fc.sh"

gib=$((1 << 30))
disk=$(fc_disk 1 2)
one=$(fc_disk 1 1)
two=$(fc_disk 2 1)

only_path_unmapped() {
  unmap_fc_lun 1 2
  resize_volume third 2G
  volgrow_ends "the only path is stale: extend fails" 4 extend volume-third --expect 2G --timeout 5s
  same "because the target has no such LUN" NoSuchDevice "$(field .error.name)"
  same "nothing was rescanned" 0 "$(all_rescans)"
  same "the disk has its old size" "$gib" "$(kernel_size "$disk")"
  measured "$(field '.error.name + ": " + .error.message')"
}

only_path_remapped() {
  map_fc_lun 1 2 fourth
  volgrow_ends "its number given to another volume: extend is refused" 6 extend volume-third --expect 2G --timeout 5s
  same "by its identity" WwidMismatch "$(field .error.name)"
  same "nothing was rescanned" 0 "$(all_rescans)"
  same "the disk has its old size" "$gib" "$(kernel_size "$disk")"
  measured "$(field .error.message)"
}

one_of_two_remapped() {
  unmap_fc_lun 2 1
  map_fc_lun 2 1 fifth
  resize_volume second 2G
  volgrow_ends "one of two paths is another volume: extend is refused" 6 extend volume-second --expect 2G --timeout 5s
  same "by its identity" WwidMismatch "$(field .error.name)"
  same "nothing was rescanned" 0 "$(all_rescans)"
  same "no size has changed" "$gib $gib $gib" \
    "$(kernel_size "$one") $(kernel_size "$two") $(kernel_size "$(map_of second)")"
  measured "$(field .error.message)"
}

one_of_two_unmapped() {
  unmap_fc_lun 2 1
  volgrow_ends "one of two paths is stale: extend ends without it" 3 extend volume-second --expect 2G
  same "it was not rescanned" "1 0 1" "$(rescans_of "$one") $(rescans_of "$two") $(all_rescans)"
  same "and has its old size" "$gib" "$(kernel_size "$two")"
  sized "the other path" 2G "$one"
  map_sized "the map" 2G second
  measured "$(field ".layers[] | select(.device == \"$two\") | .action + \": \" + .reason")"
}

mapped_again() {
  map_fc_lun 2 1 second
  milliseconds check "the LUN is back: its path is finished without being asked for" await 100 no_stragglers
  sized "both paths" 2G "$one" "$two"
  measured "mapped again to finished: $elapsed_ms ms"
}

need start_volgrowd
need register_fc_volume volume-third 2 1
need register_fc_volume volume-second 1 1 2
watch_rescans
only_path_unmapped
only_path_remapped
one_of_two_remapped
one_of_two_unmapped
mapped_again
finish
