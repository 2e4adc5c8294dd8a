#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Loop devices: what their truth is, what their rescan is, and how to know that the file is still theirs.
# lab: state=bare
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

mkdir -p "$volumes"
file=$volumes/file
truncate --size=64M "$file"
loop=$(losetup --find --show --offset 4096 "$file")
limited=$(losetup --find --show --sizelimit 32M "$file")

same "a loop device is as large as its file less the offset" $(((64 << 20) - 4096)) "$(blockdev --getsize64 "$loop")"
same "or as its sizelimit" $((32 << 20)) "$(blockdev --getsize64 "$limited")"
watch_events
truncate --size=$(((128 << 20) + 700)) "$file"
same "a file that grew is not noticed" $(((64 << 20) - 4096)) "$(blockdev --getsize64 "$loop")"
losetup --set-capacity "$loop"
same "LOOP_SET_CAPACITY takes it over, rounded down to 512" $(((128 << 20) + 512 - 4096)) \
  "$(blockdev --getsize64 "$loop")"
same "announced with RESIZE=1" 1 "$(events_of "${loop#/dev/}" RESIZE=1)"
losetup --set-capacity "$limited"
same "a sizelimit stays" $((32 << 20)) "$(blockdev --getsize64 "$limited")"
stop_watching

inode=$(stat --format=%i "$file")
rm "$file"
truncate --size=1G "$file"
same "the backing file is told by its inode, not by its path" "$inode" \
  "$(losetup --noheadings --output BACK-INO "$loop" | tr -d ' ')"
check "another file lies at that path" test "$(stat --format=%i "$file")" != "$inode"
losetup --set-capacity "$loop"
same "and LOOP_SET_CAPACITY does not look at it" $(((128 << 20) + 512 - 4096)) "$(blockdev --getsize64 "$loop")"
finish
