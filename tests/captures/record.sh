#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes one of the lab's hosts that are recorded here, and prints its capture. In the VM, from the top of the tree:
#   scripts/lab run --targets --file scripts/capture-host tests/captures/record.sh HOST >tests/captures/lab-HOST.capture
# Hosts: two-portals path-lost two-sessions friendly-names consumers fibre-channel nvme
# shellcheck source=tests/lab/lib-fc.sh
source "${LAB_LIB%.sh}-fc.sh"

# As the lab begins: two maps over two portals, a disk beside them, and the storage's own loop devices.
two-portals() {
  about="maps of two paths over two portals, and a disk without a map"
}

# The second portal is silent: the kernel has given its paths up. One map has lost its path, the other keeps it.
path-lost() {
  local lost kept
  about="one portal is cut: a map has evicted its dead path, another still has it"
  lost=$(disk_of pair 127.0.0.2 0)
  kept=$(disk_of pair 127.0.0.2 1)
  cut_portal 127.0.0.2
  await_dead "$lost" && await_dead "$kept" && await 20 has_active_paths second 1 &&
    multipathd del path "$lost" && await 20 has_one_member first
}

has_one_member() {
  [[ $(members_of "$1" | wc --lines) -eq 1 ]]
}

# Two sessions to one portal of one target, over IPv6, with LUNs beyond one byte.
two-sessions() {
  local session
  about="two sessions to one IPv6 portal of one target, LUNs 1, 256 and 257"
  make_volume sixth 256M
  make_target six '[::1]'
  map_lun six 1 fourth
  map_lun six 256 sixth
  map_lun six 257 fifth
  log_in six && session=$(sessions_of six '[::1]') &&
    iscsiadm --mode session --sid "${session#session}" --op new &&
    await_map fourth 2 && await_map fifth 2 && await_map sixth 2
}

# Maps are called mpatha, mpathb.
friendly-names() {
  about="user_friendly_names yes: maps are called mpatha and mpathb"
  sed --in-place 's/user_friendly_names no/user_friendly_names yes/' /etc/multipath.conf
  multipathd reconfigure
  await 30 test -e /dev/mapper/mpatha && await 30 test -e /dev/mapper/mpathb
}

# What stands on volumes: a logical volume on a map, LUKS on a disk, a partition on another.
consumers() {
  export LVM_SUPPRESS_FD_WARNINGS=1
  local crypt disk map
  about="a logical volume on a map, LUKS on a disk, a partition on another"
  map=/dev/$(map_of second)
  disk=$(disk_of single 127.0.0.3 0)
  map_lun single 1 fourth
  scan single 127.0.0.3
  crypt=$(await_disk single 127.0.0.3 1) &&
    addpart "/dev/$disk" 1 2048 8192 &&
    cryptsetup luksFormat --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "/dev/$crypt" - <<<key &&
    cryptsetup open --key-file - "/dev/$crypt" tenant <<<key &&
    vgcreate --devices "$map" tenants "$map" &&
    lvcreate --devices "$map" --zero n --wipesignatures n --name one --size 64M tenants
}

# Two fabrics of one port at each end, in one machine: what the target ports of tcm_fc show is a map of two paths.
fibre-channel() {
  about="a map of two paths over two Fibre Channel fabrics, whose target ports are in the same machine"
  modprobe --all veth fcoe tcm_fc
  join_fabric 1 && join_fabric 2 && await 120 has_active_paths fourth 2
}

join_fabric() {
  make_fabric "$1" && map_fc_lun "$1" 0 fourth && start_fabric "$1"
}

# One subsystem behind two ports, joined by the kernel's own multipath.
nvme() {
  local port subsystem=$config/nvmet/subsystems/nqn.2024-01.org.volgrow:storage
  about="one NVMe subsystem over two TCP ports, with native multipath"
  modprobe --all nvmet-tcp nvme-tcp
  mkdir "$subsystem" "$subsystem/namespaces/1" && echo 1 >"$subsystem/attr_allow_any_host"
  echo -n "$(loop_of fourth)" >"$subsystem/namespaces/1/device_path"
  echo 1 >"$subsystem/namespaces/1/enable"
  for port in 1 2; do
    show_subsystem "$port" "127.0.0.$port" "$subsystem" &&
      command nvme connect --transport=tcp --traddr="127.0.0.$port" --trsvcid=4420 --nqn="${subsystem##*/}" || return
  done
  await 20 test -b /dev/nvme0n1
}

# show_subsystem PORT ADDRESS SUBSYSTEM
show_subsystem() {
  local port=$config/nvmet/ports/$1
  mkdir "$port" && echo tcp >"$port/addr_trtype" && echo ipv4 >"$port/addr_adrfam" && echo "$2" >"$port/addr_traddr" &&
    echo 4420 >"$port/addr_trsvcid" && ln --symbolic "$3" "$port/subsystems/"
}

recorded() {
  "$1" && udevadm settle && ./capture-host --output /tmp/host.capture --about "the lab's host $1: $about"
}

# All a machine prints arrives as one: what was said on the way is shown only when there is no capture.
if ! recorded "$1" >/tmp/said 2>&1; then
  cat /tmp/said
  exit 1
fi
cat /tmp/host.capture
