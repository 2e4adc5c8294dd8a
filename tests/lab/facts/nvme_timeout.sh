#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An admin command whose time-out passes makes the kernel reset the controller: a probe with a short one would take a
# slow controller away from all its namespaces.
# lab: state=nvme limit=120 quick=no
# shellcheck source=tests/lab/lib-nvme.sh
source "${LAB_LIB%.sh}-nvme.sh"

controller=nvme1

# Long enough that not the keep-alive is what notices.
reconnected_with_patience() {
  nvme disconnect --device="$controller" >/dev/null
  nvme connect --transport=tcp --traddr=127.0.0.2 --trsvcid="$nvme_port" --nqn="$(nqn_of "$storage")" \
    --reconnect-delay=1 --ctrl-loss-tmo=600 --keep-alive-tmo=60 >/dev/null
  controller=$(controller_of "$storage" 127.0.0.2)
  await_namespace first 2
}

asked() {
  nvme admin-passthru "/dev/$controller" --opcode=0x06 --namespace-id=1 --data-len=4096 --read --timeout="$1" >/dev/null 2>&1
}

portal_port=$nvme_port
need reconnected_with_patience
cut_portal 127.0.0.2
same "a silent controller is live for the kernel" live "$(<"/sys/class/nvme/$controller/state")"
milliseconds check "a command to it ends when its time is over" not asked 2000
measured "with a time-out of 2000 ms after $elapsed_ms ms"
check "and the controller is given up with it" not controller_is "$controller" live
measured "its state: $(<"/sys/class/nvme/$controller/state")"
heal_portal 127.0.0.2
check "it comes back" await_controller "$controller" live
finish
