#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A virtual port (NPIV) needs a fabric to log in to. Two ports that found each other without a switch give it none: it
# can be made, and stays without remote ports. What volgrow does with virtual ports is shown by unit tests alone.
# lab: state=fc limit=200 quick=no
# shellcheck source=tests/lab/lib-fc.sh
source "${LAB_LIB%.sh}-fc.sh"

wwn=2000020000000191
port=$(fc_host_of initiator 1)

vport() {
  echo /sys/class/fc_vports/vport-*
}

echo "$wwn:$wwn" >"/sys/class/fc_host/$port/vport_create"
need await 20 test -d "$(vport)"
same "a virtual port without a fabric" "No Fabric Support" "$(<"$(vport)/vport_state")"
host=$(grep --files-with-matches "0x$wwn" /sys/class/fc_host/*/port_name | cut --delimiter=/ --fields=5)
check "it is a host of its own" test -n "$host"
check "with no remote port" not compgen -G "/sys/class/fc_remote_ports/rport-${host#host}:*"
measured "$host, virtual port of $port: $(<"$(vport)/vport_state")"
finish
