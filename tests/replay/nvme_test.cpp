// SPDX-License-Identifier: Apache-2.0
// A host with an NVMe subsystem behind two ports, joined by the kernel.
#include "tests/replay/replay.h"

namespace volgrow {
namespace {

class TheHostWithNvme : public ARecordedHost {
 protected:
  TheHostWithNvme() : ARecordedHost(std::string("lab-nvme")) {}
};

Layer nvme_path(std::string device, std::uint64_t diskseq, std::string controller,
                std::string endpoint) {
  Layer layer;
  layer.connector = "nvme";
  layer.kind = LayerKind::nvme_path;
  layer.device = std::move(device);
  layer.identity = {0, diskseq};
  layer.address = std::move(controller);
  layer.transport = "tcp";
  layer.endpoint = std::move(endpoint);
  layer.state = "live optimized";
  layer.size = 512_MiB;
  layer.has_target = true;
  layer.growth = Growth::later;
  return layer;
}

Stack the_namespace() {
  Layer head;
  head.connector = "nvme";
  head.kind = LayerKind::nvme_namespace;
  head.device = "nvme0n1";
  head.identity = {makedev(259, 1), 23};
  head.endpoint = "nqn.2001-04.com.example:subsystem-1";
  head.size = 512_MiB;
  head.growth = Growth::by_itself;
  head.below = {"nvme0c0n1", "nvme0c1n1"};
  return {
      {nvme_path("nvme0c0n1", 22, "nvme0", "192.0.2.1:4420,nqn.2001-04.com.example:subsystem-1"),
       nvme_path("nvme0c1n1", 24, "nvme1", "192.0.2.2:4420,nqn.2001-04.com.example:subsystem-1"),
       head}};
}

TEST_F(TheHostWithNvme, ShowsTheNamespaceAndItsPathsByAnyName) {
  for (const auto* name : {"dev:nvme0n1", "/dev/nvme0n1", "dev:nvme0c0n1", "nvme0c1n1",
                           "wwid:uuid.00000000-0000-4000-8000-000000000005"})
    EXPECT_THAT(resolved(name), HasLayers(the_namespace().layers)) << name;
}

TEST_F(TheHostWithNvme, ShowsTheNamespaceByItsConnection) {
  const auto connection = [](const std::string& members) {
    return R"({"driver_volume_type":"nvmeof","data":{"target_nqn":)"
           R"("nqn.2001-04.com.example:subsystem-1","portals":[["192.0.2.1",4420,"tcp"]],)" +
           members + "}}";
  };
  EXPECT_THAT(resolved(connection(R"("vol_uuid":"00000000-0000-4000-8000-000000000005")")),
              HasLayers(the_namespace().layers));
  EXPECT_THAT(resolved(connection(R"("ns_id":"1")")), HasLayers(the_namespace().layers));
  EXPECT_THAT(resolved(connection(R"("ns_id":2)")),
              FailsWith(ErrorCode::no_such_device, "is the volume attached here?"));
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
