#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes of a bare machine one with NVMe over TCP where the kernel does not join paths (nvme_core.multipath=N) and
# multipathd does; it is saved:
#   subsystem "storage"  ports 1 and 2 at 127.0.0.1 and 127.0.0.2, each connected: controllers nvme0 and nvme1
#                        namespace 1 volume "first" 1 GiB: disks nvme0n1 and nvme1n1 under the map uuid.…
set -euo pipefail
# shellcheck source=tests/lab/lib-nvme.sh
source "${LAB_LIB%.sh}-nvme.sh"

has_map() {
  [[ $(dmsetup status "uuid.$(uuid_of first)" | grep --only-matching --extended-regexp '[0-9]+:[0-9]+ A' | wc --lines) -eq 2 ]]
}

modprobe nvme_core multipath=N
modprobe --all nvmet-tcp nvme-tcp
record_controller_rescans
# Not the checker of SCSI disks, which start_multipathd names for all.
cat >/etc/multipath.conf <<'END'
defaults {
  user_friendly_names no
  find_multipaths yes
  polling_interval 1
  max_polling_interval 2
}
overrides {
  path_grouping_policy multibus
  path_checker directio
  no_path_retry queue
}
END
multipathd
await 20 multipathd show daemon
make_subsystem "$storage"
make_namespace "$storage" 1 first 1G
make_port 1 tcp 127.0.0.1 "$storage"
make_port 2 tcp 127.0.0.2 "$storage"
connect "$storage" 127.0.0.1
connect "$storage" 127.0.0.2
need await 30 has_map
udevadm settle
measured "state 'nvme-dm': $(multipathd show maps raw format '%n %S %N' | tr '\n' ';')"
