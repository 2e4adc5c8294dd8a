# SPDX-License-Identifier: Apache-2.0
# What a script does to the machine and undoes, whatever ends it: one directory, and every process,
# mount and loop device that came to be in its course. Sourced, never run.
# shellcheck shell=bash

# begin_run NAME: from here on TMPDIR is a directory of this run alone, and every program started
# carries its path in the environment (VOLGROW_RUN), which is how forgotten ones are found again. A run
# inside a run lies beneath it and is cleaned up with it.
begin_run() {
  run_directory=$(mktemp --directory "${TMPDIR:-/tmp}/volgrow-$1.XXXXXX")
  chmod 711 "$run_directory"  # other accounts reach the private bus beneath it, and see no names
  export VOLGROW_RUN=$run_directory TMPDIR=$run_directory
  trap end_run EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

# attended COMMAND…: runs it so that a signal to this script is acted on at once, not at its end.
attended() {
  "$@" &
  wait $!
}

# Those who look do not carry the mark themselves.
run_processes() (
  unset VOLGROW_RUN
  grep --files-with-matches --null-data --no-messages \
    "^VOLGROW_RUN=$run_directory" /proc/[0-9]*/environ | cut --delimiter=/ --fields=3 || true
)

# Deepest first.
run_mounts() {
  awk -v top="$run_directory/" 'index($5, top) == 1 { print $5 }' /proc/self/mountinfo | tac
}

run_loops() {
  losetup --list --noheadings --raw --output NAME,BACK-FILE |
    awk -v top="$run_directory/" 'index($2, top) == 1 { print $1 }'
}

# leftovers: one line for everything this run has not cleaned up itself; none when all is well.
leftovers() {
  local pid
  for pid in $(run_processes); do
    printf 'process %s: %s\n' "$pid" "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null || true)"
  done
  run_mounts | sed 's/^/mount /'
  run_loops | sed 's/^/loop device /'
}

# Asks all processes of the run to end, waits until they have, and insists after five seconds.
end_processes() {
  local attempt pids
  mapfile -t pids < <(jobs -rp; run_processes)
  ((${#pids[@]} == 0)) || kill -TERM "${pids[@]}" 2>/dev/null || true
  for ((attempt = 0; attempt < 100; attempt++)); do
    mapfile -t pids < <(run_processes)
    ((${#pids[@]} > 0)) || return 0
    ((attempt != 50)) || kill -KILL "${pids[@]}" 2>/dev/null || true
    sleep 0.1
  done
}

end_run() {
  local status=$? item
  trap '' HUP INT TERM
  set +e
  end_processes
  for item in $(run_mounts); do
    umount "$item" || umount --lazy "$item"
  done
  for item in $(run_loops); do
    losetup --detach "$item"
  done
  rm --recursive --force --one-file-system "$run_directory"
  trap - EXIT
  exit "$status"
}

as_root_or_stop() {
  if ((EUID != 0)); then
    echo "$1: run as root: it attaches loop devices and mounts file systems" >&2
    exit 2
  fi
}
