#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes of a bare machine the one that scenarios start from, which is then saved:
#   target "pair"    portals 127.0.0.1 and 127.0.0.2, both logged in, so each can be cut alone
#                    LUN 0 volume "first" 1 GiB, LUN 1 "second" 1 GiB: maps of two paths
#   target "single"  portal 127.0.0.3, logged in: LUN 0 volume "third" 1 GiB, a disk without multipath
#   volumes "fourth" 512 MiB and "fifth" 256 MiB, mapped nowhere yet
# Paths that are cut are noticed after 2 + 2 s, and given up after 5 more.
set -euo pipefail
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

set_iscsi() {
  sed --in-place "s/^#\? *$1 *=.*/$1 = $2/" /etc/iscsi/iscsid.conf
}

set_iscsi 'node.conn\[0\].timeo.noop_out_interval' 2
set_iscsi 'node.conn\[0\].timeo.noop_out_timeout' 2
set_iscsi 'node.session.timeo.replacement_timeout' 5

make_volume first 1G
make_volume second 1G
make_volume third 1G
make_volume fourth 512M
make_volume fifth 256M
make_target pair 127.0.0.1 127.0.0.2
make_target single 127.0.0.3
map_lun pair 0 first
map_lun pair 1 second
map_lun single 0 third

record_rescans
start_iscsid
start_multipathd 1
milliseconds log_in pair
measured "two logins of two LUNs each: $elapsed_ms ms"
log_in single
need await_map first 2
need await_map second 2
await_disk single 127.0.0.3 0 >/dev/null
udevadm settle
measured "state 'targets': $(multipathd show maps raw format '%n %S %N' | tr '\n' ';')"
