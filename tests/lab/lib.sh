# SPDX-License-Identifier: Apache-2.0
# For scripts that run in the lab's VM as root: volumes and targets, paths and ways to cut them, sizes on every
# layer, volgrow, and verdicts. Sizes are numbers with K, M or G (binary); a portal is an address, port 3260.
# Sourced, never run.
# shellcheck shell=bash

config=/sys/kernel/config
volumes=/tmp/volumes
failures=0
portal_port=3260

# --- Verdicts: the lines that `scripts/lab test` counts

passed() {
  echo "passed: $1"
}

failed() {
  echo "FAILED: $1"
  failures=$((failures + 1))
}

skipped() {
  echo "skipped: $1: $2"
}

# check SENTENCE COMMAND…: one test; what the command printed is shown when it fails.
check() {
  local sentence=$1
  shift
  if "$@" >/tmp/check.output 2>&1; then
    passed "$sentence"
  else
    failed "$sentence"
    printf '  %s\n  %s\n' "$*" "$(</tmp/check.output)"
  fi
}

# same SENTENCE EXPECTED ACTUAL: one test.
same() {
  if [[ $2 == "$3" ]]; then
    passed "$1"
  else
    failed "$1"
    printf '  expected: %s\n  found:    %s\n' "$2" "$3"
  fi
}

# matches SENTENCE REGULAR_EXPRESSION TEXT: one test.
matches() {
  if [[ $3 =~ $2 ]]; then
    passed "$1"
  else
    failed "$1"
    printf '  expected: %s\n  found:    %s\n' "$2" "$3"
  fi
}

not() {
  ! "$@"
}

measured() {
  echo "measured: $*"
}

# need COMMAND…: for what a test stands on; without it there is nothing to test.
need() {
  "$@" && return
  echo "FAILED: could not begin: $*"
  exit 1
}

# The last line of a script: its status.
finish() {
  ((failures == 0))
}

# --- Time

now_ms() {
  echo $((${EPOCHREALTIME/[^0-9]/} / 1000))
}

# milliseconds COMMAND…: runs it, and leaves its time in $elapsed_ms.
milliseconds() {
  local started status=0
  started=$(now_ms)
  "$@" || status=$?
  # shellcheck disable=SC2034  # for who sources this
  elapsed_ms=$(($(now_ms) - started))
  return "$status"
}

# To read from it is to wait: nobody writes.
exec {nothing}<> <(:)

# await SECONDS COMMAND…: until the command succeeds; says what it waited for when it does not.
await() {
  local limit=$1 end
  shift
  end=$(($(now_ms) + limit * 1000))
  until "$@" >/dev/null 2>&1; do
    if (($(now_ms) > end)); then
      echo "waited $limit s in vain for: $*" >&2
      return 1
    fi
    read -r -t 0.05 -u "$nothing" || true
  done
}

# pause SECONDS: lets time pass where that is what is measured; never to wait for something.
pause() {
  read -r -t "$1" -u "$nothing"
  (($? > 128))  # it ended by its time and by nothing else
}

bytes() {
  numfmt --from=iec "${1%iB}"
}

# --- The storage side: volumes in memory, and targets that show them

# make_volume NAME SIZE [iblock|fileio]: the backstore, with a serial number made of the name.
make_volume() {
  local name=$1 kind=${3:-iblock}
  mkdir -p "$volumes"
  truncate --size="$2" "$volumes/$name"
  "make_$kind" "$name" "$(serial_of "$name")"
}

serial_of() {
  md5sum <<<"$1" | cut --characters=1-25
}

# make_iblock NAME SERIAL [FILE]: a second backstore on one FILE, or with the SERIAL of another, is a fault
# to be tested.
make_iblock() {
  local store=$config/target/core/iblock_0/$1 loop
  loop=$(losetup --find --show "${3:-$volumes/$1}")
  mkdir -p "$store"
  echo "udev_path=$loop,readonly=0" >"$store/control"
  enable_store "$store" "$2"
}

make_fileio() {
  local store=$config/target/core/fileio_0/$1 file=${3:-$volumes/$1}
  mkdir -p "$store"
  echo "fd_dev_name=$file,fd_dev_size=$(stat --format=%s "$file")" >"$store/control"
  enable_store "$store" "$2"
}

enable_store() {
  echo "$2" >"$1/wwn/vpd_unit_serial"
  echo 1 >"$1/enable" && ls "$1" >/dev/null
}

store_of() {
  echo "$config"/target/core/*_0/"$1"
}

loop_of() {
  losetup --noheadings --output NAME --associated "$volumes/$1" | head --lines=1
}

# resize_volume NAME SIZE: larger or smaller, at the storage alone; nobody is told.
resize_volume() {
  local store
  store=$(store_of "$1")
  truncate --size="$2" "$volumes/$1"
  case $store in
    */iblock_0/*) losetup --set-capacity "$(loop_of "$1")" ;;
    */fileio_0/*) echo "fd_dev_size=$(bytes "$2")" >"$store/control" ;;
  esac
}

target_folder() {
  echo "$config/target/iscsi/$(iqn_of "$1")/tpgt_1"
}

iqn_of() {
  echo "iqn.2024-01.org.volgrow:$1"
}

# make_target NAME PORTAL…: anybody may log in. An IPv6 portal is written with brackets.
make_target() {
  local folder portal attribute
  folder=$(target_folder "$1")
  shift
  mkdir -p "$folder"
  for portal in "$@"; do
    mkdir "$folder/np/$portal:$portal_port"
  done
  for attribute in generate_node_acls cache_dynamic_acls; do
    echo 1 >"$folder/attrib/$attribute"
  done
  echo 0 >"$folder/attrib/authentication"
  echo 0 >"$folder/attrib/demo_mode_write_protect"
  echo 1 >"$folder/enable"
}

# map_lun TARGET LUN VOLUME
map_lun() {
  local folder
  folder=$(target_folder "$1")/lun/lun_$2
  mkdir -p "$folder"
  ln --symbolic "$(store_of "$3")" "$folder/volume"
}

# unmap_lun TARGET LUN: the number is free for another volume.
unmap_lun() {
  local folder
  folder=$(target_folder "$1")/lun/lun_$2
  rm "$folder/volume"
  rmdir "$folder"
}

# --- The host side: sessions, devices, maps

start_iscsid() {
  mkdir -p /run/lock/iscsi
  pidof iscsid >/dev/null || iscsid
}

# log_in TARGET [PORTAL]…: a session to each portal; without one, to every portal the target names.
log_in() {
  local target portals portal
  target=$(iqn_of "$1")
  portals=("${@:2}")
  if ((${#portals[@]} == 0)); then
    mapfile -t portals < <(portals_of "$1")
  fi
  for portal in "${portals[@]}"; do
    iscsiadm --mode node --targetname "$target" --portal "$portal:$portal_port" --op new >/dev/null
    iscsiadm --mode node --targetname "$target" --portal "$portal:$portal_port" --login >/dev/null || return
  done
  udevadm settle
}

portals_of() {
  local portal
  for portal in "$(target_folder "$1")"/np/*; do
    portal=${portal##*/}
    echo "${portal%:*}"
  done
}

log_out() {
  iscsiadm --mode node --targetname "$(iqn_of "$1")" ${2:+--portal "$2:$portal_port"} --logout >/dev/null
  udevadm settle
}

# scan TARGET PORTAL: asks the target which LUNs it has.
scan() {
  local session host
  for session in $(sessions_of "$1" "$2"); do
    host=$(readlink --canonicalize "/sys/class/iscsi_session/$session/device")
    host=${host%/session*}
    echo "- - -" >"/sys/class/scsi_host/${host##*/}/scan"
  done
  udevadm settle
}

# sessions_of TARGET PORTAL: session0 …
sessions_of() {
  local connection session
  for connection in /sys/class/iscsi_connection/connection*; do
    session=${connection##*/connection}
    session=session${session%%:*}
    if [[ $(<"$connection/persistent_address") == "${2//[][]/}" &&
      $(<"/sys/class/iscsi_session/$session/targetname") == "iqn.2024-01.org.volgrow:$1" ]]; then
      echo "$session"
    fi
  done 2>/dev/null
}

# disk_of TARGET PORTAL LUN: sda …
disk_of() {
  local session disk
  for session in $(sessions_of "$1" "$2"); do
    for disk in "/sys/class/iscsi_session/$session"/device/target*/*:"$3"/block/*; do
      [[ ! -e $disk ]] || echo "${disk##*/}"
    done
  done
}

# await_disk TARGET PORTAL LUN: prints it when it is there, and its sg node too.
await_disk() {
  await 20 test_disk "$@" || return
  disk_of "$@"
}

test_disk() {
  is_usable "$(disk_of "$@")"
}

# is_usable DISK: its nodes are there, and it has a size.
is_usable() {
  [[ -b /dev/$1 && -n $(echo "/sys/block/$1/device/scsi_generic/"sg*) && $(kernel_size "$1") -gt 0 ]]
}

disk_state() {
  echo "$(<"/sys/block/$1/device/state")"
}

rescan() {
  echo 1 >"/sys/block/$1/device/rescan"
}

# wwid_of VOLUME: as multipath and udev write it, the type digit 3 before LIO's NAA name.
wwid_of() {
  echo "36001405$(serial_of "$1")"
}

# start_multipathd [SECONDS [yes]]: checks paths every SECONDS, and makes friendly names (mpatha …) with yes.
start_multipathd() {
  cat >/etc/multipath.conf <<END
defaults {
  user_friendly_names ${2:-no}
  find_multipaths yes
  polling_interval ${1:-1}
  max_polling_interval $((${1:-1} * 2))
}
overrides {
  path_grouping_policy multibus
  path_checker tur
  fast_io_fail_tmo 5
  dev_loss_tmo 600
  no_path_retry queue
}
END
  multipathd
  await 120 multipathd show daemon
}

stop_multipathd() {
  pkill --exact multipathd
  await 20 not pidof multipathd
}

# few_rules: from here on udev does for a disk only what multipathd and os-brick need. With Debian's rules each event
# starts ten programs, which takes an emulated processor a second.
few_rules() {
  local rules
  mkdir -p /run/udev/rules.d
  for rules in /usr/lib/udev/rules.d/{55-scsi*,56-lvm*,58-scsi*,60-block*,60-kpartx*,60-multipath*} \
    /usr/lib/udev/rules.d/{60-persistent-storage.*,64-btrfs*,68-del*,69-*,96-*}; do
    ln --symbolic --force /dev/null "/run/udev/rules.d/${rules##*/}"
  done
  cat >/run/udev/rules.d/60-lab.rules <<'END'
ACTION=="remove", GOTO="end"
SUBSYSTEM!="block", GOTO="end"
KERNEL!="sd*", GOTO="end"
ENV{DM_MULTIPATH_DEVICE_PATH}="1"
IMPORT{program}="/lib/udev/scsi_id --export --whitelisted --device=$devnode"
IMPORT{builtin}="path_id"
SYMLINK+="disk/by-id/scsi-$env{ID_SERIAL} disk/by-path/$env{ID_PATH}"
LABEL="end"
END
  udevadm control --reload
}

# map_of VOLUME: dm-0 …, when multipathd has made it.
map_of() {
  basename "$(readlink --canonicalize-existing "/dev/mapper/$(wwid_of "$1")")"
}

# await_map VOLUME PATHS: with so many active paths, and its name in /dev/mapper.
await_map() {
  await 30 has_active_paths "$1" "$2" && udevadm settle
}

has_active_paths() {
  [[ $(active_paths "$1") -eq $2 ]]
}

# In the map's status each path is MAJOR:MINOR A or F, active or failed.
active_paths() {
  dmsetup status "$(wwid_of "$1")" | grep --only-matching --extended-regexp '[0-9]+:[0-9]+ A' | wc --lines
}

members_of() {
  ls "/sys/block/$(map_of "$1")/slaves"
}

# --- Faults

# cut_portal PORTAL: silently, both directions, as a switch that died would.
cut_portal() {
  iptables --wait --append INPUT --protocol tcp --destination "$1" --dport "$portal_port" --jump DROP
  iptables --wait --append INPUT --protocol tcp --source "$1" --sport "$portal_port" --jump DROP
}

heal_portal() {
  iptables --wait --delete INPUT --protocol tcp --destination "$1" --dport "$portal_port" --jump DROP
  iptables --wait --delete INPUT --protocol tcp --source "$1" --sport "$portal_port" --jump DROP
}

# await_dead DISK: until the kernel has given the path up, so that I/O on it fails at once.
await_dead() {
  await 40 is_in_state "$1" transport-offline
}

await_running() {
  await 40 is_in_state "$1" running
}

is_in_state() {
  [[ $(disk_state "$1") == "$2" ]]
}

# --- Sizes, in bytes, layer by layer

# The independent oracle: a program of sg3-utils asks the target itself, READ CAPACITY(16) by the sg node.
target_size() {
  local sg
  sg=$(basename "/sys/block/$1/device/scsi_generic/"sg*)
  timeout 30 sg_readcap --16 "/dev/$sg" | sed --quiet 's/^ *Device size: \([0-9]*\) bytes.*/\1/p'
}

# What the kernel shows; never blocks.
kernel_size() {
  echo $(($(<"/sys/class/block/$1/size") * 512))
}

# What whoever opens the device gets: BLKGETSIZE64.
device_size() {
  timeout 30 blockdev --getsize64 "/dev/$1"
}

# The length of a map's table.
table_size() {
  dmsetup table "$(wwid_of "$1")" | awk '{ sectors += $2 } END { print sectors * 512 }'
}

# sizes_of_path DISK, sizes_of_volume VOLUME: "target kernel device", and all its paths, then the map.
sizes_of_path() {
  echo "$(target_size "$1") $(kernel_size "$1") $(device_size "$1")"
}

# sized SENTENCE SIZE DISK…: one test for each: target, kernel and device agree on SIZE.
sized() {
  local sentence=$1 size disk
  size=$(bytes "$2")
  shift 2
  for disk in "$@"; do
    same "$sentence: $disk: target, kernel, device" "$size $size $size" "$(sizes_of_path "$disk")"
    measured "$disk target $(target_size "$disk") kernel $(kernel_size "$disk") device $(device_size "$disk")"
  done
}

# map_sized SENTENCE SIZE VOLUME: the map's table, its kernel size and what its consumer gets.
map_sized() {
  local size map found
  size=$(bytes "$2")
  map=$(map_of "$3")
  found="$(table_size "$3") $(kernel_size "$map") $(device_size "$map")"
  same "$1: $map: table, kernel, device" "$size $size $size" "$found"
  measured "$map table, kernel, device $found"
}

# --- What the kernel tells

# watch_events: records uevents from here on; events prints them, one line each with all its properties.
watch_events() {
  udevadm settle
  rm --force /tmp/events
  stdbuf --output=L udevadm monitor --kernel --property >/tmp/events 2>/dev/null &
  event_watcher=$!
  await 10 grep --quiet '^KERNEL - ' /tmp/events
}

events() {
  udevadm settle
  awk 'BEGIN { RS = ""; FS = "\n" } { line = $1; for (i = 2; i <= NF; i++) line = line " " $i; print line }' /tmp/events
}

# events_of DEVICE PROPERTY: how many of the block device's events had it.
events_of() {
  events | grep " DEVNAME=/dev/$1 " | grep --count " $2\b"
}

stop_watching() {
  kill "$event_watcher"
  wait "$event_watcher" 2>/dev/null
}

# record_rescans: the kernel itself records each write to a SCSI device's rescan attribute, whose first argument
# begins with the device's name. Done once, before the state is saved: the kernel patches its own code for it, which
# under emulation can wait for ever for the other processor.
record_rescans() {
  mount -t tracefs tracefs /sys/kernel/tracing
  echo 'p:rescan store_rescan_field device=+0(+0(%di)):string' >>/sys/kernel/tracing/kprobe_events
  echo 1 >/sys/kernel/tracing/events/kprobes/rescan/enable
}

# watch_rescans: from here on all_rescans counts them, rescans_of those of one disk.
watch_rescans() {
  echo >/sys/kernel/tracing/trace
}

all_rescans() {
  grep --count "rescan: .*device=" /sys/kernel/tracing/trace
}

rescans_of() {
  grep --count "rescan: .*device=\"$(address_of "$1")\"" /sys/kernel/tracing/trace
}

# address_of DISK: HOST:CHANNEL:TARGET:LUN
address_of() {
  basename "$(readlink --canonicalize "/sys/block/$1/device")"
}

# --- volgrow

# start_volgrowd [ARGUMENT…]: as urgent as its unit makes it, and ready when its name is on the bus; what it says is in
# /tmp/volgrowd.log.
start_volgrowd() {
  nice --adjustment="$(sed --quiet 's/^Nice=//p' /usr/lib/systemd/system/volgrowd.service)" \
    volgrowd "$@" >>/tmp/volgrowd.log 2>&1 &
  volgrowd_pid=$!
  await 60 on_the_bus && return
  cat /tmp/volgrowd.log
  return 1
}

# start_traced_volgrowd CALLS: CALLS as strace names them, e.g. execve; the trace is /tmp/volgrowd.trace.
start_traced_volgrowd() {
  strace --daemonize --follow-forks --seccomp-bpf --trace="$1" --output=/tmp/volgrowd.trace volgrowd >>/tmp/volgrowd.log 2>&1 &
  volgrowd_pid=$!
  await 30 on_the_bus
}

on_the_bus() {
  busctl --quiet call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus GetNameOwner s \
    org.volgrow.Agent1
}

stop_volgrowd() {
  kill "$volgrowd_pid"
  wait "$volgrowd_pid"
}

# volgrow_ends SENTENCE STATUS ARGUMENT…: one test of the exit status. The JSON is in $answer, errors in
# /tmp/volgrow.err, both shown when the status is another.
volgrow_ends() {
  local sentence=$1 expected=$2 status=0
  shift 2
  answer=$(volgrow --json "$@" 2>/tmp/volgrow.err) || status=$?
  same "$sentence" "exit status $expected" "exit status $status"
  ((status == expected)) || printf '  volgrow --json %s\n  %s\n  %s\n' "$*" "$answer" "$(cat /tmp/volgrow.err)"
}

# field JQ_FILTER: of the last answer.
field() {
  jq --raw-output --compact-output "$1" <<<"$answer"
}

# volume_changed VOLUME_ID SIZE: the event as a virt layer sends it; waits for the job, as await_job.
volume_changed() {
  begin_job "$@" && await_job
}

# begin_job VOLUME_ID SIZE: the event alone; the job's object is then $job.
begin_job() {
  job=$(busctl --json=short call org.volgrow.Agent1 /org/volgrow/Agent1 org.volgrow.Agent1.Manager VolumeChanged \
    'sta{sv}' "$1" "$(bytes "$2")" 0 | jq --raw-output '.data[0]')
}

# await_job: until $job has ended; its result is then in $answer and its state in $job_state.
await_job() {
  busctl --json=short --timeout=120 call org.volgrow.Agent1 "$job" org.volgrow.Agent1.Job Wait u 110000 \
    >/tmp/job.json || return
  # shellcheck disable=SC2034  # for who sources this
  job_state=$(jq --raw-output '.data[0]' /tmp/job.json)
  answer=$(jq --raw-output '.data[1]' /tmp/job.json)
}

# restart_killed_volgrowd [ARGUMENT…]: with SIGKILL, and started again at once.
restart_killed_volgrowd() {
  kill -KILL "$volgrowd_pid"
  wait "$volgrowd_pid" 2>/dev/null
  start_volgrowd "$@"
}

# register_volume VOLUME_ID TARGET LUN PORTAL…: as a virt layer does at attach.
register_volume() {
  connection "${@:2}" >/tmp/connection.json
  volgrow --quiet register "$1" --connection /tmp/connection.json
}

# volume_is VOLUME_ID STATE: what the bus shows of it.
volume_is() {
  [[ $(volgrow --json status "$1" | jq --raw-output 'first(.. | .state? // empty)') == "$2" ]]
}

# action_of DEVICE: what the last answer says was done with that layer.
action_of() {
  field ".layers[] | select(.device == \"$1\") | .action"
}

# connection TARGET LUN PORTAL…: connection_info as Cinder makes it; plural keys when there are several.
connection() {
  jq --null-input --arg iqn "$(iqn_of "$1")" --argjson lun "$2" --arg port "$portal_port" '
    [$ARGS.positional[] + ":" + $port] as $portals |
    {driver_volume_type: "iscsi", data: (
      {target_portal: $portals[0], target_iqn: $iqn, target_lun: $lun} +
      if ($portals | length) == 1 then {} else
        {target_portals: $portals, target_iqns: [$portals[] | $iqn], target_luns: [$portals[] | $lun]} end)}' \
    --args "${@:3}"
}

# straggler_ends SENTENCE: waits for the job that nobody asked for.
straggler_ends() {
  check "$1" await 60 no_stragglers
}

no_stragglers() {
  [[ $(manager_property Stragglers) == 0 ]]
}

manager_property() {
  busctl --json=short get-property org.volgrow.Agent1 /org/volgrow/Agent1 org.volgrow.Agent1.Manager "$1" |
    jq .data
}

# --- I/O that is checked

# write_pattern DEVICE MIB: from its start; pattern_intact DEVICE MIB reads it back and compares.
write_pattern() {
  fio_pattern "$@" --rw=write --do_verify=0
}

pattern_intact() {
  fio_pattern "$@" --rw=read --verify_only
}

fio_pattern() {
  fio --name=pattern --filename="/dev/$1" --size="$2M" --bs=256k --direct=1 --verify=crc32c --verify_fatal=1 \
    --output=/tmp/fio-pattern.log "${@:3}" || { cat /tmp/fio-pattern.log; return 1; }
}

# start_io DEVICE OFFSET_MIB MIB: writes at random and reads back what it wrote, until stop_io, which fails when
# a byte differed or a call failed.
start_io() {
  local before
  before=$(writes_of "$1")
  fio --name=guest --filename="/dev/$1" --offset="$2M" --size="$3M" --rw=randwrite --bs=16k --direct=1 \
    --verify=crc32c --verify_backlog=16 --verify_fatal=1 --time_based --runtime=3600 \
    --output-format=json --output=/tmp/fio.json >/dev/null 2>&1 &
  io_pid=$!
  await 60 has_written "$1" "$((before + 16))"
}

writes_of() {
  awk '{ print $5 }' "/sys/class/block/$1/stat"
}

has_written() {
  (($(writes_of "$1") > $2))
}

stop_io() {
  kill -INT "$io_pid"
  wait "$io_pid"
  sed --quiet '/^{/,$p' /tmp/fio.json |
    jq --exit-status '.jobs[0] | .error == 0 and .write.total_ios > 0' >/dev/null || { cat /tmp/fio.json; return 1; }
  measured "fio: $(sed --quiet '/^{/,$p' /tmp/fio.json | jq '.jobs[0].write.total_ios') writes checked, no error"
}
