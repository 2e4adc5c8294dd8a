#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# In the lab's machine: makes volumes and describes them to bench_lab, which measures.
#   lab.sh iscsi|fc|nvme CASE…
#   1 2 4      one volume of so many paths                                     in the machines "targets", "fc", "nvme"
#   x25 x100   so many volumes of two paths at once                            in "many", "fc", "nvme"
#   cold       2, with an os-brick that is imported anew each time             in "targets"
#   programs   which os-brick and volgrowd start for one volume of two paths   in "targets"
#   beside     jobs of volumes beside others whose target swallows everything  in "targets"
set -euo pipefail
# shellcheck source=tests/lab/lib-fc.sh
source "${LAB_LIB%.sh}-fc.sh"
# shellcheck source=tests/lab/lib-nvme.sh
source "${LAB_LIB%.sh}-nvme.sh"

# --- Volumes as bench_lab reads them

# describe VOLUME MAP NODE CONNECTION RESCAN…: RESCANs are the files a rescan of it writes to.
describe() {
  jq --null-input --arg id "bench-$1" --arg file "$volumes/$1" --arg loop "$(loop_of "$1")" --arg map "$2" \
    --arg node "$3" --argjson connection "$4" '{$id, $file, $loop, $map, $node, $connection, rescans: $ARGS.positional}' \
    --args "${@:5}"
}

# describe_disks VOLUME CONNECTION DISK…: more than one are a map.
describe_disks() {
  local disk map="" node=/dev/$3 rescans=()
  for disk in "${@:3}"; do
    rescans+=("/sys/class/block/$disk/device/rescan")
  done
  if (($# > 3)); then
    map=$(wwid_of "$1")
    node=/dev/mapper/$map
  fi
  describe "$1" "$map" "$node" "$2" "${rescans[@]}"
}

# iscsi_volume VOLUME TARGET LUN PORTAL…
iscsi_volume() {
  local portal disks=()
  for portal in "${@:4}"; do
    disks+=("$(disk_of "$2" "$portal" "$3")")
  done
  describe_disks "$1" "$(connection "${@:2}")" "${disks[@]}"
}

# fc_volume VOLUME LUN FABRIC…
fc_volume() {
  local fabric disks=()
  for fabric in "${@:3}"; do
    disks+=("$(fc_disk "$fabric" "$2")")
    hba_link "$fabric" "$2"
  done
  describe_disks "$1" "$(fc_connection "${@:2}")" "${disks[@]}"
}

# hba_link FABRIC LUN: os-brick finds a disk by the link that udev makes for an adapter on PCI. Ports of virtual network
# interfaces get none; this is the name it looks for then.
hba_link() {
  ln --symbolic --force "/dev/$(fc_disk "$@")" "/dev/disk/by-path/pci-virtual-fc-0x$(wwn_of target "$1")-lun-$2"
}

# nvme_volume SUBSYSTEM VOLUME ADDRESS…: with the path that Nova adds at attach, by which os-brick finds it.
nvme_volume() {
  local controller node rescans=()
  node=/dev/$(namespace_of "$2")
  for controller in $(controllers_of "$1"); do
    rescans+=("/sys/class/nvme/$controller/rescan_controller")
  done
  describe "$2" "" "$node" "$(nvme_connection "$@" | jq --arg node "$node" '.data.device_path = $node')" "${rescans[@]}"
}

# --- Cases: what the machine lacks is made, then the volumes are described

iscsi_case() {
  local number
  case $1 in
    1) iscsi_volume third single 0 127.0.0.3 ;;
    2) iscsi_volume first pair 0 127.0.0.1 127.0.0.2 ;;
    4) make_iscsi_quad >&2 && iscsi_volume quad quad 0 127.0.0.11 127.0.0.12 127.0.0.13 127.0.0.14 ;;
    x*)
      for ((number = 1; number <= ${1#x}; number++)); do
        iscsi_volume "many-$number" many "$((number - 1))" 127.0.0.6 127.0.0.7
      done
      ;;
  esac
}

make_iscsi_quad() {
  make_volume quad 1G
  make_target quad 127.0.0.11 127.0.0.12 127.0.0.13 127.0.0.14
  map_lun quad 0 quad
  log_in quad
  await_map quad 4
}

fc_case() {
  local number
  case $1 in
    1) fc_volume third 2 1 ;;
    2) fc_volume first 0 1 2 ;;
    4) make_fc_quad >&2 && fc_volume quad 3 1 2 3 4 ;;
    x*)
      make_many_luns "${1#x}" >&2
      for ((number = 1; number <= ${1#x}; number++)); do
        fc_volume "many-$number" "$((number + 9))" 1 2
      done
      ;;
  esac
}

make_fc_quad() {
  local fabric
  make_volume quad 1G
  map_fc_lun 1 3 quad && map_fc_lun 2 3 quad
  for fabric in 3 4; do
    make_fabric "$fabric" && map_fc_lun "$fabric" 3 quad && start_fabric "$fabric"
  done
  fc_scan 1 && fc_scan 2
  await 120 has_active_paths quad 4
}

# Those that are missing of so many; with all paths there before it starts, multipathd makes each map once.
make_many_luns() {
  local number fabric
  stop_multipathd
  for ((number = 1; number <= $1; number++)); do
    [[ ! -e $volumes/many-$number ]] || continue
    make_volume "many-$number" 64M
    for fabric in 1 2; do
      map_fc_lun "$fabric" "$((number + 9))" "many-$number"
    done
  done
  fc_scan 1 && fc_scan 2
  start_multipathd 10
  for ((number = 1; number <= $1; number++)); do
    await_map "many-$number" 2
  done
}

nvme_case() {
  local number
  case $1 in
    1) make_subsystem_of one 21 >&2 && nvme_volume one one 127.0.0.21 ;;
    2) nvme_volume "$storage" second 127.0.0.1 127.0.0.2 ;;
    4) make_subsystem_of four 41 42 43 44 >&2 && nvme_volume four four 127.0.0.41 127.0.0.42 127.0.0.43 127.0.0.44 ;;
    x*)
      make_many_namespaces "${1#x}" >&2
      for ((number = 1; number <= ${1#x}; number++)); do
        nvme_volume "$storage" "many-$number" 127.0.0.1 127.0.0.2
      done
      ;;
  esac
}

# make_subsystem_of NAME NUMBER…: a subsystem with one volume, both of that name, and ports 127.0.0.NUMBER.
make_subsystem_of() {
  local number
  make_subsystem "$1"
  make_namespace "$1" 1 "$1" 1G block
  for number in "${@:2}"; do
    make_port "$number" tcp "127.0.0.$number" "$1" && connect "$1" "127.0.0.$number"
  done
  await_namespace "$1" $(($# - 1))
}

make_many_namespaces() {
  local number
  for ((number = 1; number <= $1; number++)); do
    [[ -e $volumes/many-$number ]] || make_namespace "$storage" "$((number + 10))" "many-$number" 64M block
  done
  for ((number = 1; number <= $1; number++)); do
    await_namespace "many-$number" 2
  done
}

name_of_case() {
  case $1 in
    1) echo "1 path" ;;
    x*) echo "${1#x} volumes, 2 paths each" ;;
    *) echo "$1 paths" ;;
  esac
}

# describe_case TRANSPORT CASE
describe_case() {
  "$1_case" "$2" >/tmp/case.volumes
  jq --slurp --arg case "$1, $(name_of_case "$2")" '{$case, volumes: .}' /tmp/case.volumes
}

# --- Programs that are started

programs_in() {
  grep --count 'execve(.* = 0' "$1" || true
}

grow_first() {
  local size
  size=$(($(kernel_size "$(map_of first)") + (1 << 20)))
  resize_volume first "$size"
  echo "$size"
}

count_programs() {
  local size
  size=$(grow_first)
  connection pair 0 127.0.0.1 127.0.0.2 | jq --compact-output . >/tmp/connection.json
  strace --follow-forks --seccomp-bpf --trace=execve --output=/tmp/brick.trace python3 brick.py \
    </dev/null >/dev/null 2>&1
  strace --follow-forks --seccomp-bpf --trace=execve --output=/tmp/brick-one.trace python3 brick.py \
    </tmp/connection.json >/dev/null 2>/tmp/brick.err
  same "os-brick grew the volume" "$size" "$(device_size "$(map_of first)")"
  need stop_volgrowd
  start_traced_volgrowd execve,execveat
  register_volume bench-first pair 0 127.0.0.1 127.0.0.2
  size=$(grow_first)
  volgrow_ends "volgrow grew the volume" 0 extend bench-first --expect "$size"
  measured "programs started for one volume of two paths: os-brick" \
    "$(($(programs_in /tmp/brick-one.trace) - $(programs_in /tmp/brick.trace))), volgrowd $(($(programs_in /tmp/volgrowd.trace) - 1))"
}

# --- Beside a target that is cut

neighbours=10
jobs_a_turn=30
turns=8
readers=()

# What was sent to the target hangs: the initiator never asks whether it is still there, gives no command up, and takes
# nothing back from a session that it finds dead (multipathd has set that limit by itself).
without_limits() {
  local setting volume disk
  for setting in noop_out_interval noop_out_timeout; do
    iscsiadm --mode node --targetname "$(iqn_of pair)" --op update --name "node.conn[0].timeo.$setting" --value 0
  done
  log_out pair
  iscsiadm --mode node --targetname "$(iqn_of pair)" --login >/dev/null # log_in would make the records anew
  await_map first 2 && await_map second 2 || return
  for volume in first second; do
    for disk in $(members_of "$volume"); do
      echo 600 >"/sys/block/$disk/device/timeout" || return
      echo 600 >"$(echo "/sys/block/$disk"/device/../../iscsi_session/session*)/recovery_tmo" || return
    done
  done
}

make_neighbours() {
  local number
  make_target beside 127.0.0.8 127.0.0.9
  for ((number = 1; number <= neighbours; number++)); do
    make_volume "beside-$number" 64M
    map_lun beside "$number" "beside-$number"
  done
  log_in beside
  for ((number = 1; number <= neighbours; number++)); do
    await_map "beside-$number" 2 || return
  done
}

describe_neighbours() {
  local number
  for ((number = 1; number <= neighbours; number++)); do
    iscsi_volume "beside-$number" beside "$number" 127.0.0.8 127.0.0.9
  done
}

cut_pair() {
  cut_portal 127.0.0.1 && cut_portal 127.0.0.2
}

heal_pair() {
  heal_portal 127.0.0.1 && heal_portal 127.0.0.2
}

# read_cut_paths: one read of each, from which it is seen that they hang.
read_cut_paths() {
  local volume disk
  readers=()
  for volume in first second; do
    for disk in $(members_of "$volume"); do
      dd if="/dev/$disk" of=/dev/null bs=4096 count=1 iflag=direct status=none &
      readers+=($!)
    done
  done
}

all_paths_hang() {
  local reader
  ((${#readers[@]} == 4)) || return
  for reader in "${readers[@]}"; do
    [[ -d /proc/$reader ]] || return
  done
}

# beside_hanging_paths TURN: a job of each volume of the target that is cut has run into it, and its workers hang on.
beside_hanging_paths() {
  local volume reader job jobs=()
  cut_pair
  read_cut_paths
  for volume in first second; do
    volgrow --json extend "bench-$volume" --expect 3G >"/tmp/$volume.json" 2>&1 &
    jobs+=($!)
  done
  ./bench_lab latencies /tmp/neighbours.json "$jobs_a_turn" >>/tmp/beside
  check "turn $1: the four paths of the cut target hang until its end" all_paths_hang
  heal_pair
  for reader in "${readers[@]}"; do
    need wait "$reader" # it waited for the target, and nothing gave it up
  done
  for job in "${jobs[@]}"; do
    need not wait "$job" # the size it was asked for never came
  done
  await 120 has_active_paths first 2 && await 120 has_active_paths second 2
}

# quantile FILE Q: of numbers, one a line.
quantile() {
  jq --slurp --argjson q "$2" 'sort | .[((length - 1) * $q | round)] | . / 100 | round / 10' "$1"
}

measure_beside() {
  local turn
  for turn in $(seq "$turns"); do
    ./bench_lab latencies /tmp/neighbours.json "$jobs_a_turn" >>/tmp/alone
    beside_hanging_paths "$turn"
  done
}

beside_a_cut_target() {
  local volume
  for volume in first second; do
    register_volume "bench-$volume" pair "$([[ $volume == first ]] && echo 0 || echo 1)" 127.0.0.1 127.0.0.2
  done
  need without_limits
  need make_neighbours
  describe_neighbours | jq --slurp '[{case: "neighbours", volumes: .}]' >/tmp/neighbours.json
  measure_beside
  measured "$((turns * jobs_a_turn)) jobs, one after the other, of $neighbours volumes; median, p99, ms: alone" \
    "$(quantile /tmp/alone 0.5), $(quantile /tmp/alone 0.99); beside two volumes whose target is cut" \
    "$(quantile /tmp/beside 0.5), $(quantile /tmp/beside 0.99)"
}

# --- All of it

# quiet_volgrowd: events are looked at, and nothing is begun by itself while others are measured.
quiet_volgrowd() {
  printf '[events]\nauto = "never"\naudit_interval_s = 0\n' >/tmp/volgrowd.toml
  start_volgrowd --config /tmp/volgrowd.toml
}

transport=$1
few_rules
need quiet_volgrowd
python3 brick.py </dev/null >/dev/null 2>&1 # the first import compiles
for case in "${@:2}"; do
  case $case in
    cold)
      describe_case "$transport" 2 | jq --slurp . >/tmp/cases.json
      ./bench_lab cold /tmp/cases.json
      ;;
    programs) count_programs ;;
    beside) beside_a_cut_target ;;
    *)
      describe_case "$transport" "$case" | jq --slurp . >/tmp/cases.json
      ./bench_lab contest /tmp/cases.json
      ;;
  esac
done
finish
