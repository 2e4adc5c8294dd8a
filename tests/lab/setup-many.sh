#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes of the machine of setup.sh one with a hundred volumes more, each a map of two paths; it is saved too:
#   target "many"    portals 127.0.0.6 and 127.0.0.7; LUN 0 … 99 volumes "many-1" … "many-100", 64 MiB each
set -euo pipefail
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

make_them() {
  local lun
  make_target many 127.0.0.6 127.0.0.7
  for lun in {0..99}; do
    make_volume "many-$((lun + 1))" 64M
    map_lun many "$lun" "many-$((lun + 1))"
  done
}

# With all paths there from the start, multipathd makes each map once.
make_maps() {
  local number
  start_multipathd 10
  for number in {1..100}; do
    await_map "many-$number" 2 || return
  done
}

stop_multipathd
few_rules
make_them
log_in many
milliseconds make_maps
measured "100 maps made in $elapsed_ms ms"
