#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Namespaces have blocks of whatever length their target chooses; sysfs counts 512-byte sectors all the same.
# lab: state=nvme limit=120 quick=no
# shellcheck source=tests/lab/lib-nvme.sh
source "${LAB_LIB%.sh}-nvme.sh"

# A file of a file system with blocks of 1 KiB.
small_blocks() {
  truncate --size=200M /tmp/filesystem
  mke2fs -q -F -t ext4 -b 1024 /tmp/filesystem 2>/dev/null
  mkdir /tmp/mounted
  mount -o loop /tmp/filesystem /tmp/mounted
  truncate --size=64M /tmp/mounted/small
  enable_namespace "$storage" 3 /tmp/mounted/small "$(uuid_of small)"
  await_namespace small 2
}

# block_is VOLUME NSID LENGTH
block_is() {
  local head
  head=$(namespace_of "$1")
  same "namespace $2 has blocks of $3 bytes" "$3" "$(block_length nvme0 "$2")"
  same "which the kernel shows as its logical blocks" "$3" "$(<"/sys/block/$head/queue/logical_block_size")"
  same "and its size in sysfs is sectors of 512 bytes" "$(namespace_size nvme0 "$2")" "$(kernel_size "$head")"
}

need small_blocks
block_is first 1 4096
block_is second 2 512
block_is small 3 1024
finish
