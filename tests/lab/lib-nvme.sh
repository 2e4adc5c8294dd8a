# SPDX-License-Identifier: Apache-2.0
# For scripts that run in the lab's VM as root: lib.sh, and NVMe over fabrics: subsystems of the kernel's own target
# (nvmet), namespaces, controllers, ways to cut them. A namespace is called by the name of its volume.
# Sourced, never run.
# shellcheck shell=bash
# shellcheck source=tests/lab/lib.sh
source "${LAB_LIB:-tests/lab/lib.sh}"

nvme_port=4420
# shellcheck disable=SC2034  # for who sources this
storage=storage  # the subsystem of setup-nvme.sh

# --- The storage side

subsystem_folder() {
  echo "$config/nvmet/subsystems/$(nqn_of "$1")"
}

nqn_of() {
  echo "nqn.2024-01.org.volgrow:$1"
}

make_subsystem() {
  local folder
  folder=$(subsystem_folder "$1")
  mkdir "$folder"
  echo 1 >"$folder/attr_allow_any_host"
}

# uuid_of VOLUME: made of its name.
uuid_of() {
  local digits
  digits=$(md5sum <<<"$1")
  echo "${digits:0:8}-${digits:8:4}-4${digits:13:3}-8${digits:17:3}-${digits:20:12}"
}

# make_namespace SUBSYSTEM NSID VOLUME SIZE [file|block|DEVICE]: nvmet takes the length of its blocks from what is
# behind it: 4096 for a file on tmpfs, 512 for a loop device.
make_namespace() {
  mkdir -p "$volumes"
  truncate --size="$4" "$volumes/$3"
  case ${5:-file} in
    file) enable_namespace "$1" "$2" "$volumes/$3" "$(uuid_of "$3")" ;;
    block) enable_namespace "$1" "$2" "$(losetup --find --show "$volumes/$3")" "$(uuid_of "$3")" ;;
  esac
}

# enable_namespace SUBSYSTEM NSID FILE UUID
enable_namespace() {
  local folder
  folder=$(subsystem_folder "$1")/namespaces/$2
  mkdir -p "$folder"
  echo -n "$3" >"$folder/device_path"
  [[ ! -f $3 ]] || echo 1 >"$folder/buffered_io"
  echo "$4" >"$folder/device_uuid"
  echo 1 >"$folder/enable"
}

# replace_namespace SUBSYSTEM NSID VOLUME: another volume is shown under that number.
replace_namespace() {
  local folder
  folder=$(subsystem_folder "$1")/namespaces/$2
  echo 0 >"$folder/enable"
  enable_namespace "$1" "$2" "$volumes/$3" "$(uuid_of "$3")"
}

# grow_namespace VOLUME SIZE: at the storage alone. nvmet looks at the new size with the next Identify, and announces
# it then, unless its hosts were told not to listen (silence).
grow_namespace() {
  local loop
  truncate --size="$2" "$volumes/$1"
  loop=$(loop_of "$1")
  [[ -z $loop ]] || losetup --set-capacity "$loop"
}

# announce SUBSYSTEM NSID: nvmet looks at the size, and tells all controllers when it is another one.
announce() {
  echo 1 >"$(subsystem_folder "$1")/namespaces/$2/revalidate_size"
}

# make_port NUMBER TRANSPORT ADDRESS SUBSYSTEM…
make_port() {
  local folder=$config/nvmet/ports/$1 subsystem
  mkdir "$folder"
  echo "$2" >"$folder/addr_trtype"
  echo ipv4 >"$folder/addr_adrfam"
  echo "$3" >"$folder/addr_traddr"
  echo "$nvme_port" >"$folder/addr_trsvcid"
  for subsystem in "${@:4}"; do
    show_subsystem "$1" "$subsystem"
  done
}

# show_subsystem, hide_subsystem PORT SUBSYSTEM: who is connected there loses its controller at once.
show_subsystem() {
  ln --symbolic "$(subsystem_folder "$2")" "$config/nvmet/ports/$1/subsystems/"
}

hide_subsystem() {
  rm "$config/nvmet/ports/$1/subsystems/$(nqn_of "$2")"
}

# --- The host side

# connect SUBSYSTEM ADDRESS [TRANSPORT]: a lost controller is tried again every second for ten minutes.
connect() {
  nvme connect --transport="${3:-tcp}" --traddr="$2" --trsvcid="$nvme_port" --nqn="$(nqn_of "$1")" \
    --reconnect-delay=1 --ctrl-loss-tmo=600 --keep-alive-tmo=2 >/dev/null
}

# controllers_of SUBSYSTEM; controller_of SUBSYSTEM ADDRESS: nvme0 …
controllers_of() {
  local controller
  for controller in /sys/class/nvme/nvme*; do
    [[ $(<"$controller/subsysnqn") != "$(nqn_of "$1")" ]] || echo "${controller##*/}"
  done
}

controller_of() {
  local controller
  for controller in $(controllers_of "$1"); do
    [[ $(<"/sys/class/nvme/$controller/address") != *"traddr=$2,"* ]] || echo "$controller"
  done
}

controller_is() {
  [[ $(<"/sys/class/nvme/$1/state") == "$2" ]]
}

await_controller() {
  await 30 controller_is "$1" "$2"
}

# silence SUBSYSTEM: its controllers are not told of changed namespaces any more: a target that never announces.
silence() {
  local controller
  for controller in $(controllers_of "$1"); do
    nvme set-feature "/dev/$controller" --feature-id=0x0b --value=0 >/dev/null || return
  done
}

# disks_with UUID: every NVMe disk that has it, hidden ones too.
disks_with() {
  grep --files-with-matches --line-regexp "$1" /sys/block/nvme*/uuid 2>/dev/null | cut --delimiter=/ --fields=4
}

# namespace_of VOLUME: nvme0n1, what its consumer opens.
namespace_of() {
  disks_with "$(uuid_of "$1")" | grep --invert-match 'c[0-9]*n'
}

# path_of VOLUME CONTROLLER: nvme0c0n1
path_of() {
  local disk
  for disk in $(disks_with "$(uuid_of "$1")"); do
    [[ ! -e /sys/class/nvme/$2/$disk ]] || echo "$disk"
  done
}

paths_of() {
  disks_with "$(uuid_of "$1")" | grep 'c[0-9]*n'
}

# await_namespace VOLUME PATHS
await_namespace() {
  await 30 has_paths "$1" "$2" && udevadm settle
}

has_paths() {
  [[ -b /dev/$(namespace_of "$1") && $(paths_of "$1" | wc --lines) -eq $2 ]]
}

rescan_controller() {
  echo 1 >"/sys/class/nvme/$1/rescan_controller"
}

# --- Sizes

# The independent oracle: nvme-cli asks one controller itself. To nvmet this is a look at its volume too.
namespace_size() {
  nvme id-ns "/dev/$1" --namespace-id="$2" --output-format=json | jq '.nsze * pow(2; .lbafs[.flbas % 16].ds)'
}

block_length() {
  nvme id-ns "/dev/$1" --namespace-id="$2" --output-format=json | jq 'pow(2; .lbafs[.flbas % 16].ds)'
}

shows_size() {
  [[ $(kernel_size "$1") -eq $(bytes "$2") ]]
}

# namespace_sized SENTENCE SIZE VOLUME: target, every path, the head and its consumer agree.
namespace_sized() {
  local size head path nsid found
  size=$(bytes "$2")
  head=$(namespace_of "$3")
  nsid=$(<"/sys/block/$head/nsid")
  for path in $(paths_of "$3"); do
    found="$(namespace_size "$(basename "$(readlink --canonicalize "/sys/block/$path/device")")" "$nsid") \
$(kernel_size "$path")"
    same "$1: $path: target, kernel" "$size $size" "$found"
  done
  found="$(kernel_size "$head") $(device_size "$head")"
  same "$1: $head: kernel, device" "$size $size" "$found"
  measured "$head and $(paths_of "$3" | wc --lines) paths: $(kernel_size "$head")"
}

# What lib.sh waits by: Linux 6.1 counts I/O through a head on its paths alone.
writes_of() {
  cat "/sys/class/block/$1/stat" "/sys/block/${1%n*}"c*"n${1##*n}/stat" 2>/dev/null | awk '{ sum += $5 } END { print sum }'
}

# --- What the kernel is asked

# record_controller_rescans: as record_rescans, for writes to rescan_controller.
record_controller_rescans() {
  mount -t tracefs tracefs /sys/kernel/tracing
  echo 'p:nvme_rescan nvme_sysfs_rescan controller=+0(+0(%di)):string' >>/sys/kernel/tracing/kprobe_events
  echo 1 >/sys/kernel/tracing/events/kprobes/nvme_rescan/enable
}

all_controller_rescans() {
  grep --count 'nvme_rescan: .*controller=' /sys/kernel/tracing/trace
}

controller_rescans_of() {
  grep --count "nvme_rescan: .*controller=\"$1\"" /sys/kernel/tracing/trace
}

# --- volgrow

# nvme_connection SUBSYSTEM VOLUME ADDRESS…: connection_info as Cinder makes it, in the new form.
nvme_connection() {
  jq --null-input --arg nqn "$(nqn_of "$1")" --arg uuid "$(uuid_of "$2")" --argjson port "$nvme_port" '
    {driver_volume_type: "nvmeof", data: {target_nqn: $nqn, vol_uuid: $uuid, ns_id: null,
      host_nqn: null, portals: [$ARGS.positional[] | [., $port, "tcp"]]}}' --args "${@:3}"
}

# register_namespace VOLUME_ID SUBSYSTEM VOLUME ADDRESS…
register_namespace() {
  nvme_connection "${@:2}" >/tmp/connection.json
  volgrow --quiet register "$1" --connection /tmp/connection.json
}
