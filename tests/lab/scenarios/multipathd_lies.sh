#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A multipathd that answers `ok` and does not resize the map: sizes decide, and the job says so. Later, with an
# honest one, the same call finishes.
# lab: limit=240
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

map=$(map_of first)

# Between volgrowd and multipathd: passes every command on but `resize map`, which it answers itself. It has the
# socket of newer versions, which is tried first; the one here listens under its abstract name.
start_liar() {
  python3 - <<'END' &
import socket, struct, threading

def frame(stream):
    size = struct.unpack("N", stream.recv(8, socket.MSG_WAITALL))[0]
    return stream.recv(size, socket.MSG_WAITALL)

def serve(client):
    try:
        while True:
            command = frame(client)
            answer = b"ok\n\0" if command.startswith(b"resize") else ask(command)
            client.sendall(struct.pack("N", len(answer)) + answer)
    except (struct.error, ConnectionError):
        client.close()

def ask(command):
    with socket.socket(socket.AF_UNIX) as honest:
        honest.connect("\0/org/kernel/linux/storage/multipathd")
        honest.sendall(struct.pack("N", len(command)) + command)
        return frame(honest)

listener = socket.socket(socket.AF_UNIX)
listener.bind("/run/multipathd.socket")
listener.listen()
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
END
  liar=$!
  await 10 test -S /run/multipathd.socket
}

stop_liar() {
  kill "$liar"
  wait "$liar" 2>/dev/null
  rm /run/multipathd.socket
}

need start_liar
need start_volgrowd
resize_volume first 2G
volgrow_ends "extend fails" 1 extend "dev:$map" --expect 2G
same "by the size that was measured" SizeMismatch "$(field .error.name)"
same "the map is what failed" failed "$(action_of "$map")"
sized "the paths are grown" 2G "$(disk_of pair 127.0.0.1 0)" "$(disk_of pair 127.0.0.2 0)"
map_sized "the map is not" 1G first
measured "$(field .error.message)"
stop_liar
volgrow_ends "with an honest multipathd, extend ends well" 0 extend "dev:$map" --expect 2G
map_sized "the map" 2G first
finish
