#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# More events than the socket holds, while volgrowd cannot read them: it is told that some are lost, reads everything
# again, once, and shows what the kernel shows.
# lab: limit=240
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

disk=$(disk_of single 127.0.0.3 0)
printf '[events]\nuevent_buffer_mib = 1\naudit_interval_s = 0\n' >/tmp/agent.toml

storm() {
  local event
  for ((event = 0; event < $1; ++event)); do
    echo change >"/sys/block/$disk/uevent"
  done
}

shows_size() {
  [[ $(volgrow --json status volume-third | jq 'first(.. | .size_bytes? // empty)') == "$1" ]]
}

resyncs() {
  grep --count 'device events were lost' /tmp/volgrowd.log
}

need start_volgrowd --config /tmp/agent.toml
need register_volume volume-third single 0 127.0.0.3
need await 10 volume_is volume-third ok
few_rules
systemctl stop systemd-udevd 2>/dev/null || udevadm control --stop-exec-queue
kill -STOP "$volgrowd_pid"
resize_volume third 2G
rescan "$disk"
milliseconds storm 6000
measured "6000 events in $elapsed_ms ms"
kill -CONT "$volgrowd_pid"
check "the size that was lost among them is shown" await 30 shows_size $((2 << 30))
check "the loss was told" await 30 grep --quiet 'device events were lost' /tmp/volgrowd.log
check "and not for each event" test "$(resyncs)" -le 5
measured "read again $(resyncs) times"
check "volgrowd goes on" volume_is volume-third ok
finish
