#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# NVMe over RDMA (soft RoCE): a namespace of two paths grows as over TCP, found by a connection in os-brick's old form;
# one port taken away leaves its path for later. A lost link would wedge this kernel's controller for good.
# lab: state=bare limit=480 quick=no
# shellcheck source=tests/lab/lib-nvme.sh
source "${LAB_LIB%.sh}-nvme.sh"

network() {
  modprobe --all rdma_rxe nvmet-rdma nvme-rdma
  ip link add r0 type veth peer name r1
  ip address add 10.9.0.1/24 dev r0
  ip address add 10.9.1.1/24 dev r1
  ip link set r0 up
  ip link set r1 up
  rdma link add rxe0 type rxe netdev r0
  rdma link add rxe1 type rxe netdev r1
}

targets() {
  make_subsystem "$storage"
  make_namespace "$storage" 1 first 1G
  make_port 1 rdma 10.9.0.1 "$storage"
  make_port 2 rdma 10.9.1.1 "$storage"
  await 20 connect "$storage" 10.9.0.1 rdma && await 20 connect "$storage" 10.9.1.1 rdma && await_namespace first 2
}

# In the old form a portal is one, and the namespace has a number.
old_connection() {
  jq --null-input --arg nqn "$(nqn_of "$storage")" --argjson port "$nvme_port" '
    {driver_volume_type: "nvmeof", data: {nqn: $nqn, transport_type: "rdma", target_portal: "10.9.0.1",
      target_port: $port, ns_id: 1}}'
}

need network
need targets
head=$(namespace_of first)
need silence "$storage"
need start_volgrowd
old_connection >/tmp/connection.json
grow_namespace first 2G
volgrow_ends "extend by the connection ends well" 0 extend --connection /tmp/connection.json --expect 2G
same "over rdma" '["rdma","rdma"]' "$(field '[.layers[] | select(.kind == "nvme-path") | .transport]')"
namespace_sized "all layers agree" 2G first
hide_subsystem 2 "$storage"
need await_controller nvme1 connecting
grow_namespace first 3G
volgrow_ends "without one port it is degraded" 3 extend "dev:$head" --expect 3G
same "at its new size" $((3 << 30)) "$(device_size "$head")"
show_subsystem 2 "$storage"
need await_controller nvme1 live
volgrow_ends "with it, whole" 0 extend "dev:$head" --expect 3G
namespace_sized "all layers agree" 3G first
finish
