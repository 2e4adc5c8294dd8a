#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What every script run in the lab may count on: programs, policy, accounts and directories as packages leave
# them, the system bus, and no target.
# lab: state=bare
# shellcheck source=tests/lab/lib.sh
source "$LAB_LIB"

check "volgrow is installed" test -x /usr/bin/volgrow
check "volgrowd is installed" test -x /usr/sbin/volgrowd
check "its configuration is right" volgrowd --check-config
check "agent.toml lies in /etc/volgrow" test -f /etc/volgrow/agent.toml
check "the relay has an account" id volgrow-relay
check "the directory of locks is there" test -d /run/volgrow
same "no target is configured" "" "$(find /sys/kernel/config/target -name 'iqn.*')"
check "the kernel is Debian's, and no cloud kernel" grep --quiet '^6\.[0-9.-]*-amd64$' <<<"$(uname -r)"
need start_volgrowd
check "everybody may ask for the version" setpriv --reuid nobody --clear-groups --regid nogroup \
  busctl get-property org.volgrow.Agent1 /org/volgrow/Agent1 org.volgrow.Agent1.Manager Version
check "but not for a job" not setpriv --reuid nobody --clear-groups --regid nogroup volgrow rescan /dev/loop0
check "doctor finds nothing that fails" volgrow doctor
check "volgrowd ends when told to" stop_volgrowd
finish
