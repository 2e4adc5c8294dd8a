# SPDX-License-Identifier: Apache-2.0
# What scripts of the state "fc" have beside lib.sh: Fibre Channel in one machine. A fabric is a number; it is a pair of
# network interfaces, initiatorN and targetN, with a software FC port (FCoE without a switch, VN2VN) on each. Both ports
# are fc_hosts of this machine: a host's port sees the target's as a remote port, and the other way round.
# Sourced, never run.
# shellcheck shell=bash
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

# --- The storage side

# mac_of initiator|target FABRIC; a port's WWN is made of it (libfcoe): 20:00 and the address.
mac_of() {
  case $1 in
    initiator) echo "02:00:00:00:0$2:01" ;;
    target) echo "02:00:00:00:0$2:02" ;;
  esac
}

# wwn_of initiator|target FABRIC: 2000020000000101, as Cinder's drivers write it.
wwn_of() {
  echo "2000$(mac_of "$@" | tr --delete :)"
}

fc_target_folder() {
  echo "$config/target/fc/20:00:$(mac_of target "$1")/tpgt_1"
}

fc_acl_folder() {
  echo "$(fc_target_folder "$1")/acls/20:00:$(mac_of initiator "$1")"
}

# make_fabric FABRIC: LUNs are mapped before its ports are started, or found by a scan later.
make_fabric() {
  ip link add "initiator$1" address "$(mac_of initiator "$1")" mtu 2500 type veth \
    peer name "target$1" address "$(mac_of target "$1")" mtu 2500
  ip link set "target$1" up && ip link set "initiator$1" up
  mkdir -p "$(fc_target_folder "$1")" && mkdir "$(fc_acl_folder "$1")"
}

# start_fabric FABRIC: the target's port comes up first.
start_fabric() {
  start_port "target$1" && start_port "initiator$1"
}

# start_port INTERFACE: two such ports find each other without a switch.
start_port() {
  local controller
  echo -n "$1" >/sys/bus/fcoe/ctlr_create || return
  for controller in /sys/bus/fcoe/devices/ctlr_*; do
    if [[ $(readlink --canonicalize "$controller") == */"$1"/* ]]; then
      echo vn2vn >"$controller/mode" && echo 1 >"$controller/enabled"
      return
    fi
  done
  return 1
}

# map_fc_lun FABRIC LUN VOLUME
map_fc_lun() {
  local lun acl
  lun=$(fc_target_folder "$1")/lun/lun_$2
  acl=$(fc_acl_folder "$1")/lun_$2
  mkdir "$lun" && ln --symbolic "$(store_of "$3")" "$lun/volume" && mkdir "$acl" && ln --symbolic "$lun" "$acl/volume"
}

# unmap_fc_lun FABRIC LUN: the number is free for another volume.
unmap_fc_lun() {
  local lun acl
  lun=$(fc_target_folder "$1")/lun/lun_$2
  acl=$(fc_acl_folder "$1")/lun_$2
  rm "$acl/volume" && rmdir "$acl" && rm "$lun/volume" && rmdir "$lun"
}

# --- The host side

# fc_host_of initiator|target FABRIC: host4
fc_host_of() {
  local fc_host
  for fc_host in /sys/class/fc_host/host*; do
    [[ $(<"$fc_host/port_name") != 0x$(wwn_of "$@") ]] || echo "${fc_host##*/}"
  done
}

# remote_port_of FABRIC: rport-4:0-0, the target's port as ours sees it.
remote_port_of() {
  local port host
  host=$(fc_host_of initiator "$1")
  for port in "/sys/class/fc_remote_ports/rport-${host#host}:"*; do
    [[ $(<"$port/port_name") != 0x$(wwn_of target "$1") ]] || echo "${port##*/}"
  done
}

# port_attribute FABRIC ATTRIBUTE [VALUE]: of the remote port, read or written.
port_attribute() {
  local file
  file=/sys/class/fc_remote_ports/$(remote_port_of "$1")/$2
  if (($# == 2)); then
    cat "$file"
  else
    echo "$3" >"$file"
  fi
}

# await_port FABRIC STATE
await_port() {
  await 60 says "/sys/class/fc_remote_ports/$(remote_port_of "$1")/port_state" "$2"
}

says() {
  [[ $(<"$1") == "$2" ]]
}

# fc_disk FABRIC LUN: sda …
fc_disk() {
  local disk
  for disk in "/sys/class/fc_remote_ports/$(remote_port_of "$1")"/device/target*/*:"$2"/block/*; do
    [[ ! -e $disk ]] || echo "${disk##*/}"
  done
}

# await_fc_disk FABRIC LUN: prints it when it is there, and its sg node too.
await_fc_disk() {
  await 40 test_fc_disk "$@" || return
  fc_disk "$@"
}

test_fc_disk() {
  is_usable "$(fc_disk "$@")"
}

# fc_scan FABRIC: asks the target which LUNs it has.
fc_scan() {
  echo "- - -" >"/sys/class/scsi_host/$(fc_host_of initiator "$1")/scan"
  udevadm settle
}

# fc_connection LUN FABRIC…: connection_info as Cinder's drivers make it, with the map of ports that the zones allow.
fc_connection() {
  local lun=$1 fabric pairs=()
  shift
  for fabric in "$@"; do
    pairs+=("$(wwn_of initiator "$fabric")" "$(wwn_of target "$fabric")")
  done
  jq --null-input --argjson lun "$lun" '
    [$ARGS.positional | range(0; length; 2) as $i | {initiator: .[$i], target: .[$i + 1]}] as $pairs |
    {driver_volume_type: "fibre_channel", data: {
      target_discovered: true, target_lun: $lun, target_wwn: [$pairs[].target],
      initiator_target_map: ([$pairs[] | {key: .initiator, value: [.target]}] | from_entries)}}' \
    --args "${pairs[@]}"
}

# register_fc_volume VOLUME_ID LUN FABRIC…: as a virt layer does at attach.
register_fc_volume() {
  fc_connection "${@:2}" >/tmp/connection.json
  volgrow --quiet register "$1" --connection /tmp/connection.json
}

# --- Faults

# cut_fabric FABRIC: frames are dropped in silence, both directions. Those that keep the link up are let through: without
# them, too, both ports would notice after 20 s.
cut_fabric() {
  local interface fcoe=0x8906
  for interface in "initiator$1" "target$1"; do
    tc qdisc add dev "$interface" clsact &&
      tc filter add dev "$interface" ingress protocol "$fcoe" matchall action drop || return
  done
}

heal_fabric() {
  local interface
  for interface in "initiator$1" "target$1"; do
    tc qdisc del dev "$interface" clsact || return
  done
}

# link FABRIC up|down: the cable, pulled out at the storage's end.
link() {
  ip link set "target$1" "$2"
}

lose_link() {
  link "$1" down && await_port "$1" Blocked
}

# lip FABRIC: the host's port resets its link and logs in anew.
lip() {
  echo 1 >"/sys/class/fc_host/$(fc_host_of initiator "$1")/issue_lip" && await_port "$1" Blocked && await_port "$1" Online
}

# while_io_waits VOLUME COMMAND…: for what takes a port away while its volume is written to. A write whose data is still
# to come when the port is lost waits for ever in tcm_fc (ft_recv_seq), and with it libfc's one thread for lost ports
# (fc_rport_eq), which both ends share when they are in one kernel: the host's end would never be told. So the map holds
# its I/O back until the port is lost.
while_io_waits() {
  local map status=0
  map=$(wwid_of "$1")
  shift
  dmsetup suspend --nolockfs "$map" || return
  "$@" || status=$?
  dmsetup resume "$map"
  return "$status"
}
