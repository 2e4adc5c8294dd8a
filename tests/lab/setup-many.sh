#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes of the machine of setup.sh one with fifty volumes more, each a map of two paths; it is saved too:
#   target "many"    portals 127.0.0.6 and 127.0.0.7; LUN 0 … 49 volumes "many-1" … "many-50", 64 MiB each
# udev only does for a disk what multipathd and os-brick need: with Debian's rules every event starts ten programs, which an
# emulated processor takes a second for, and nothing here is about them.
set -euo pipefail
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

few_rules() {
  local rules
  mkdir -p /run/udev/rules.d
  for rules in /usr/lib/udev/rules.d/{55-scsi*,56-lvm*,58-scsi*,60-block*,60-kpartx*,60-multipath*} \
    /usr/lib/udev/rules.d/{60-persistent-storage.*,64-btrfs*,68-del*,69-*,96-*}; do
    ln --symbolic --force /dev/null "/run/udev/rules.d/${rules##*/}"
  done
  cat >/run/udev/rules.d/60-lab.rules <<'END'
ACTION=="remove", GOTO="end"
SUBSYSTEM!="block", GOTO="end"
KERNEL!="sd*", GOTO="end"
ENV{DM_MULTIPATH_DEVICE_PATH}="1"
IMPORT{program}="/lib/udev/scsi_id --export --whitelisted --device=$devnode"
IMPORT{builtin}="path_id"
SYMLINK+="disk/by-id/scsi-$env{ID_SERIAL} disk/by-path/$env{ID_PATH}"
LABEL="end"
END
  udevadm control --reload
}

make_them() {
  local lun
  make_target many 127.0.0.6 127.0.0.7
  for lun in {0..49}; do
    make_volume "many-$((lun + 1))" 64M
    map_lun many "$lun" "many-$((lun + 1))"
  done
}

# With all paths there from the start, multipathd makes each map once.
make_maps() {
  local number
  start_multipathd 10
  for number in {1..50}; do
    await_map "many-$number" 2 || return
  done
}

stop_multipathd
few_rules
make_them
log_in many
milliseconds make_maps
measured "50 maps made in $elapsed_ms ms"
