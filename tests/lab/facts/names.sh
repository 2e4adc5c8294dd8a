#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A device name says nothing about which device it is: names are reused, diskseq is not.
# lab: limit=180
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

disk=$(disk_of single 127.0.0.3 0)
number=$(cat "/sys/block/$disk/dev")
sequence=$(cat "/sys/block/$disk/diskseq")

log_out single
unmap_lun single 0
map_lun single 0 fourth
log_in single
again=$(await_disk single 127.0.0.3 0)
same "another volume's disk has the name of one that is gone" "$disk" "$again"
same "and its number" "$number" "$(cat "/sys/block/$again/dev")"
check "but a higher diskseq" test "$(cat "/sys/block/$again/diskseq")" -gt "$sequence"
finish
