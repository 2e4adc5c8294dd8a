#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Does for the product's files, which lie where packages put them, what the scripts of packages do: accounts,
# directories, the bus policy, and with systemd the unit. Then reads what scenarios are going to run, so that
# a saved state has it in memory.
set -euo pipefail

systemd-sysusers volgrow.conf
systemd-tmpfiles --create volgrow.conf
# The reply comes when the policy is in force.
busctl --quiet call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig
if [[ -d /run/systemd/system ]]; then
  systemctl daemon-reload
  systemctl --quiet enable volgrowd.service
fi

cat /usr/bin/{busctl,dmsetup,fio,jq,lsscsi,python3,sg_*,strace} /usr/sbin/{blockdev,dmsetup,losetup} \
  /sbin/{iscsiadm,multipath,multipathd,xtables-legacy-multi} /usr/lib/x86_64-linux-gnu/lib{sdbus,soci,spdlog,fmt}* \
  >/dev/null 2>&1 || true
python3 -c 'import json, subprocess'
jq --null-input . >/dev/null
