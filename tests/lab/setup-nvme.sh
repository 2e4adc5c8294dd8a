#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes of a bare machine one with NVMe over TCP under the kernel's own multipath, which is then saved:
#   subsystem "storage"  ports 1 and 2 at 127.0.0.1 and 127.0.0.2, each connected: controllers nvme0 and nvme1
#                        namespace 1 volume "first" 1 GiB of 4096-byte blocks, 2 "second" 1 GiB of 512-byte blocks
# A lost controller is tried again every second.
set -euo pipefail
# shellcheck source=tests/lab/lib-nvme.sh
source "${LAB_LIB%.sh}-nvme.sh"

modprobe --all nvmet-tcp nvme-tcp
record_controller_rescans
make_subsystem "$storage"
make_namespace "$storage" 1 first 1G
make_namespace "$storage" 2 second 1G block
make_port 1 tcp 127.0.0.1 "$storage"
make_port 2 tcp 127.0.0.2 "$storage"
connect "$storage" 127.0.0.1
connect "$storage" 127.0.0.2
need await_namespace first 2
need await_namespace second 2
measured "state 'nvme': $(namespace_of first) $(namespace_of second) by $(controllers_of "$storage" | tr '\n' ' ')"
