// SPDX-License-Identifier: Apache-2.0
// The registry, and what a connector does that leaves the optional parts of its interface alone.
#include <gmock/gmock.h>

#include "connectors/connector.h"
#include "tests/connectors/results.h"
#include "tests/fakes/fake_kernel.h"

namespace volgrow {
namespace {

class SmallestConnector final : public Connector {
 public:
  std::string_view name() const override { return "smallest"; }
  bool claims(const Host&, std::string_view) const override { return true; }
  Result<Layer> describe(Host&, std::string_view) const override { return Layer{}; }
  Result<void> grow(Host&, const Layer&, Bytes, Deadline) const override { return {}; }
  Result<Measurement> measure(Host&, const Layer&, bool) const override { return Measurement{}; }
};

TEST(AConnector, SpeaksNoConnectionAndHasNoTargetUnlessItSaysSo) {
  FakeKernel kernel;
  const SmallestConnector connector;
  Layer layer;
  layer.device = "dm-0";

  EXPECT_FALSE(connector.speaks("iscsi"));
  EXPECT_THAT(connector.discover(kernel, {"iscsi", {}, std::nullopt}),
              FailsWith(ErrorCode::not_supported, "'iscsi'"));
  EXPECT_THAT(connector.probe(kernel, layer, within(std::chrono::seconds(1), {})),
              FailsWith(ErrorCode::not_supported, "dm-0"));
}

class AllConnectors : public testing::Test {
 protected:
  std::string_view claiming(std::string_view device) {
    const auto* found = all.claiming(kernel, device);
    return found == nullptr ? "nobody" : found->name();
  }

  FakeKernel kernel;
  Connectors all = all_connectors({"/var/lib/volumes"});
};

TEST_F(AllConnectors, ShareTheDevicesOfAHost) {
  kernel.add_loop("loop0", "/img", 1_GiB);
  kernel.add_disk("sda");
  kernel.add_disk("sdb", {.address = "2:0:0:1", .transport = "iscsi"});
  kernel.add_disk("sdc", {.address = "3:0:0:1", .transport = "fc"});
  kernel.add_block("dm-0", 1_GiB);
  kernel.add_map("dm-1", {"sda"});

  EXPECT_EQ(claiming("loop0"), "loop");
  EXPECT_EQ(claiming("sda"), "scsi");
  EXPECT_EQ(claiming("sdb"), "iscsi");
  EXPECT_EQ(claiming("sdc"), "fc");
  EXPECT_EQ(claiming("/img"), "file");
  EXPECT_EQ(claiming("dm-0"), "nobody");
  EXPECT_EQ(claiming("dm-1"), "multipath");
  EXPECT_EQ(claiming("/dev/sda"), "nobody");
}

TEST_F(AllConnectors, AreFoundByTheirName) {
  for (const auto* name : {"loop", "iscsi", "fc", "scsi", "multipath", "file"})
    EXPECT_EQ(all.named(name)->name(), name);

  EXPECT_EQ(all.named("rbd"), nullptr);
}

TEST_F(AllConnectors, AreFoundByTheConnectionTheySpeak) {
  EXPECT_EQ(all.speaking("local")->name(), "file");
  EXPECT_EQ(all.speaking("nfs")->name(), "file");
  EXPECT_EQ(all.speaking("iscsi")->name(), "iscsi");
  EXPECT_EQ(all.speaking("iser")->name(), "iscsi");
  EXPECT_EQ(all.speaking("rbd"), nullptr);
}

}  // namespace
}  // namespace volgrow
