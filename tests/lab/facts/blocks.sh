#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Units: sysfs counts in 512 bytes whatever the block size, READ CAPACITY in the target's own blocks.
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

make_volume wide 256M fileio
# Enabling sets 512, and no export may be there yet.
echo 4096 >"$(store_of wide)/attrib/block_size"
map_lun single 7 wide
scan single 127.0.0.3
disk=$(await_disk single 127.0.0.3 7)
same "the disk has blocks of 4096 bytes" 4096 "$(cat "/sys/block/$disk/queue/logical_block_size")"
same "its size in sysfs is in units of 512" $((256 << 20)) "$(kernel_size "$disk")"
matches "READ CAPACITY counts blocks of 4096" "block length=4096 bytes" "$(sg_readcap --16 "/dev/$disk")"
resize_volume wide 512M
rescan "$disk"
sized "grown" 512M "$disk"
finish
