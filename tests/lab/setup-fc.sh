#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes of a bare machine one with Fibre Channel, which is then saved:
#   fabrics 1 and 2  a port of the host and one of the storage in each, so each can be cut alone
#                    LUN 0 volume "first" 1 GiB, LUN 1 "second" 1 GiB: maps of two paths
#                    LUN 2 of fabric 1 alone: volume "third" 1 GiB, a disk without multipath
#   volumes "fourth" 512 MiB and "fifth" 256 MiB, mapped nowhere yet
# What the host's ports lose is given up after fast_io_fail_tmo, 5 s.
set -euo pipefail
# shellcheck source=tests/lab/lib-fc.sh
source "${LAB_LIB%.sh}-fc.sh"

make_volumes() {
  make_volume first 1G
  make_volume second 1G
  make_volume third 1G
  make_volume fourth 512M
  make_volume fifth 256M
}

make_fabrics() {
  local fabric
  for fabric in 1 2; do
    make_fabric "$fabric"
    map_fc_lun "$fabric" 0 first
    map_fc_lun "$fabric" 1 second
  done
  map_fc_lun 1 2 third
  start_fabric 1
  start_fabric 2
}

modprobe --all veth fcoe tcm_fc sch_ingress cls_matchall act_gact
make_volumes
record_rescans
start_multipathd 1
make_fabrics
# Both ports of a fabric claim an address and log in, which takes an emulated processor its time.
milliseconds need await 120 has_active_paths first 2
measured "two fabrics: a map of two paths after $elapsed_ms ms"
need await 60 has_active_paths second 2
await_fc_disk 1 2 >/dev/null
udevadm settle
measured "state 'fc': $(multipathd show maps raw format '%n %S %N' | tr '\n' ';')"
