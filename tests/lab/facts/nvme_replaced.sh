#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A namespace that becomes another one at its target: sysfs shows the old identity, Identify the new one, and the
# first rescan takes the disk away from whoever has it open.
# lab: state=nvme limit=120 quick=no
# shellcheck source=tests/lab/lib-nvme.sh
source "${LAB_LIB%.sh}-nvme.sh"

head=$(namespace_of first)

live_uuid() {
  nvme ns-descs /dev/nvme0 --namespace-id=1 | sed --quiet 's/^uuid *: *//p'
}

gone() {
  [[ ! -e /sys/block/$head || $(<"/sys/block/$head/uuid") != "$(uuid_of first)" ]]
}

need silence "$storage"
truncate --size=1G "$volumes/third"
exec {consumer}<"/dev/$head"
replace_namespace "$storage" 1 third
same "the target answers with the new identity" "$(uuid_of third)" "$(live_uuid)"
same "sysfs still shows the old one" "$(uuid_of first)" "$(cat "/sys/block/$head/uuid" 2>&1)"
rescan_controller nvme0
rescan_controller nvme1
check "a rescan of its controllers takes the disk away" await 20 gone
measured "afterwards: $(echo /sys/block/nvme*)"
exec {consumer}<&-
finish
