#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Namespaces with blocks of 512 and of 4096 bytes grow to the same number of bytes.
# lab: state=nvme limit=480 quick=no
# shellcheck source=tests/lab/lib-nvme.sh
source "${LAB_LIB%.sh}-nvme.sh"

# grows VOLUME BLOCK
grows() {
  local head
  head=$(namespace_of "$1")
  same "$1 has blocks of $2 bytes" "$2" "$(<"/sys/block/$head/queue/logical_block_size")"
  grow_namespace "$1" 1536M
  nvme_connection "$storage" "$1" 127.0.0.1 127.0.0.2 >/tmp/connection.json
  volgrow_ends "$1 grows by its connection" 0 extend --connection /tmp/connection.json --expect 1536M
  same "$1: to every byte" "complete $((1536 << 20))" "$(field '.state + " " + (.size_bytes | tostring)')"
  namespace_sized "$1: all layers agree" 1536M "$1"
}

need silence "$storage"
need start_volgrowd
grows first 4096
grows second 512
finish
