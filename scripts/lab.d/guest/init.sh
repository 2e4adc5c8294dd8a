#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The VM's init when systemd is not: what a host has before anybody configures storage. bash reaps orphans.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8

mount -t tmpfs -o mode=755 run /run
mkdir -p /run/lock/iscsi /run/udev /run/dbus /dev/pts /dev/shm
mount -t tmpfs -o size=90% tmp /tmp
mount -t devpts -o gid=5,mode=620 devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ln -sf /proc/self/fd /dev/fd
ln -sf fd/0 /dev/stdin
ln -sf fd/1 /dev/stdout
ln -sf fd/2 /dev/stderr
echo lab >/proc/sys/kernel/hostname
ip link set lo up

modprobe -a configfs virtio_console loop sd_mod sg scsi_dh_alua target_core_mod target_core_file \
  target_core_iblock iscsi_target_mod iscsi_tcp dm-mod dm-multipath dm-round-robin dm-service-time
mount -t configfs configfs /sys/kernel/config

/lib/systemd/systemd-udevd --daemon
udevadm trigger --type=subsystems --action=add
udevadm trigger --type=devices --action=add
udevadm settle
dbus-daemon --system --fork
exec /usr/lib/lab/agent.sh
