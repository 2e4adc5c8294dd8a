#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# LUNs beyond 255: LUN 257 is not LUN 1, and LUN 256 written as SAM-2 is found too.
# lab: limit=240
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

high_luns() {
  map_lun single 1 fourth
  map_lun single 257 fifth
  make_volume sixth 256M
  map_lun single 256 sixth
  scan single 127.0.0.3
  await_disk single 127.0.0.3 1 && await_disk single 127.0.0.3 257 && await_disk single 127.0.0.3 256
}

need high_luns
need start_volgrowd
watch_rescans
resize_volume fourth 1G
resize_volume fifth 512M
resize_volume sixth 512M

connection single 257 127.0.0.3 >/tmp/257.json
volgrow_ends "LUN 257 grows" 0 extend --connection /tmp/257.json --expect 512M
sized "LUN 257" 512M "$(disk_of single 127.0.0.3 257)"
same "LUN 1 was left alone" $((512 << 20)) "$(kernel_size "$(disk_of single 127.0.0.3 1)")"
same "one rescan" 1 "$(all_rescans)"

connection single 256 127.0.0.3 | jq '.data.addressing_mode = "SAM2"' >/tmp/256.json
volgrow_ends "LUN 256, addressed as SAM-2, grows" 0 extend --connection /tmp/256.json --expect 512M
sized "LUN 256" 512M "$(disk_of single 127.0.0.3 256)"
finish
