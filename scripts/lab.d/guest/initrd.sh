#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The VM's first process, in busybox: mounts the read-only image below a file system in memory, and goes there.
# With lab.probe it only says that it runs: that is how an accelerator is tried.
# shellcheck shell=dash
box=/bin/busybox
$box mount -t proc proc /proc
$box mount -t sysfs sysfs /sys
$box mount -t devtmpfs devtmpfs /dev
if $box grep -q lab.probe /proc/cmdline; then
  echo LAB-PROBE-OK
  $box poweroff -f
fi

init=/usr/lib/lab/init.sh
if $box grep -q lab.systemd /proc/cmdline; then
  init=/sbin/init
fi

for module in crc32c_generic virtio_pci virtio_blk erofs overlay; do
  $box modprobe "$module"
done
attempt=0
while [ ! -b /dev/vda ] && [ "$attempt" -lt 500 ]; do
  $box usleep 10000
  attempt=$((attempt + 1))
done

$box mkdir /image /memory
$box mount -t erofs -o ro /dev/vda /image
$box mount -t tmpfs -o size=90% memory /memory
$box mkdir /memory/upper /memory/work
$box mount -t overlay -o lowerdir=/image,upperdir=/memory/upper,workdir=/memory/work root /new
for directory in proc sys dev; do
  $box mount --move "/$directory" "/new/$directory"
done
exec $box switch_root /new "$init"
