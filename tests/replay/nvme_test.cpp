// SPDX-License-Identifier: Apache-2.0
// A host with an NVMe subsystem behind two ports, joined by the kernel: no connector knows it yet.
#include "tests/replay/replay.h"

namespace volgrow {
namespace {

class TheHostWithNvme : public ARecordedHost {
 protected:
  TheHostWithNvme() : ARecordedHost(std::string("lab-nvme")) {}
};

TEST_F(TheHostWithNvme, SaysOfANamespaceThatItIsNotSupported) {
  for (const auto* name : {"dev:nvme0n1", "/dev/nvme0n1", "dev:nvme0c0n1",
                           "wwid:uuid.00000000-0000-4000-8000-000000000005"})
    EXPECT_THAT(resolved(name), FailsWith(ErrorCode::not_supported, "of no kind")) << name;
}

// The disks of the paths have a name and a size, and neither a number nor a node.
TEST_F(TheHostWithNvme, HasHiddenDisksForItsPaths) {
  for (const auto* path : {"nvme0c0n1", "nvme0c1n1"}) {
    const auto folder = std::string("block/") + path;
    EXPECT_EQ(host.read(folder + "/hidden"), "1");
    EXPECT_EQ(host.read(folder + "/size"), "1048576");
    EXPECT_EQ(host.read(folder + "/wwid"), "uuid.00000000-0000-4000-8000-000000000005");
    EXPECT_THAT(host.read(folder + "/dev"), FailsWith(ErrorCode::no_such_device, path));
    EXPECT_FALSE(host.status(std::string("/dev/") + path));
  }
}

TEST_F(TheHostWithNvme, HasTwoControllersOfOneSubsystem) {
  EXPECT_EQ(host.canonical_sysfs("class/nvme-subsystem/nvme-subsys0/nvme1"),
            host.canonical_sysfs("class/nvme/nvme1"));
  EXPECT_EQ(host.read("class/nvme/nvme0/subsysnqn"), host.read("class/nvme/nvme1/subsysnqn"));
  EXPECT_EQ(host.read("class/nvme/nvme1/address"),
            "traddr=192.0.2.2,trsvcid=4420,src_addr=192.0.2.1");
}

}  // namespace
}  // namespace volgrow
