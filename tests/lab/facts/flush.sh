#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Why a map is never resized without a path: the resize flushes it with queueing off, and I/O that waited fails.
# lab: limit=300 quick=no
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

map=$(map_of first)
wwid=$(wwid_of first)
table=$(dmsetup table "$wwid")

cut_portal 127.0.0.1
cut_portal 127.0.0.2
need await_dead "$(disk_of pair 127.0.0.1 0)"
need await_dead "$(disk_of pair 127.0.0.2 0)"
need await_map first 0
dd if="/dev/$map" of=/dev/null bs=4k count=1 iflag=direct status=none 2>/dev/null &
reader=$!
await 5 test ! -e "/proc/$reader" 2>/dev/null
check "I/O on a map that queues waits" kill -0 "$reader"
dmsetup load "$wwid" --table "$table"
timeout 60 dmsetup suspend "$wwid"
same "a suspend that flushes ends although no path is there" 0 $?
wait "$reader"
same "because the I/O that waited was failed" 1 $?
dmsetup resume "$wwid"
finish
