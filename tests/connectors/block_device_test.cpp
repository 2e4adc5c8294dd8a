// SPDX-License-Identifier: Apache-2.0
// Identity, size and node of any block device.
#include "connectors/block_device.h"

#include <gmock/gmock.h>

#include "tests/connectors/results.h"
#include "tests/fakes/fake_kernel.h"

namespace volgrow {
namespace {

class ABlockDevice : public testing::Test {
 protected:
  ABlockDevice() {
    kernel.add_disk("sda", {.size = 10_GiB});
    layer.device = "sda";
    layer.identity = identity_of(kernel, "sda").value();
  }

  FakeKernel kernel;
  Layer layer;
};

TEST_F(ABlockDevice, HasANumberAndASequence) {
  kernel.path("sda").diskseq = 77;

  EXPECT_EQ(identity_of(kernel, "sda"), (DeviceIdentity{kernel.path("sda").number, 77}));
}

TEST_F(ABlockDevice, HasSequenceZeroWhereTheKernelHasNone) {
  kernel.remove_attribute("block/sda/diskseq");

  EXPECT_EQ(identity_of(kernel, "sda"), (DeviceIdentity{kernel.path("sda").number, 0}));
}

TEST_F(ABlockDevice, IsRefusedWhenSysfsSpeaksNonsense) {
  kernel.set_attribute("block/sda/dev", "eight");
  kernel.set_attribute("block/sda/size", "-1");

  EXPECT_THAT(identity_of(kernel, "sda"), FailsWith(ErrorCode::internal, "'eight'"));
  EXPECT_THAT(kernel_size_of(kernel, "sda"), FailsWith(ErrorCode::internal, "'-1'"));
}

TEST_F(ABlockDevice, HasASlashInItsNodeWhereItsNameHasAnExclamationMark) {
  kernel.add_block("cciss!c0d0", 1_GiB);

  EXPECT_EQ(node_of(kernel, "cciss!c0d0"), "/dev/cciss/c0d0");
  EXPECT_EQ(device_numbered(kernel, kernel.device("cciss!c0d0").number), "cciss!c0d0");
}

TEST_F(ABlockDevice, IsMeasuredInUnitsOf512BytesWhateverItsBlockLength) {
  kernel.path("sda").block_length = 4096;

  EXPECT_EQ(measure_block(kernel, layer, false), (Measurement{10_GiB, layer.identity, "running"}));
}

TEST_F(ABlockDevice, IsMeasuredByIoctlWhereTheConsumerSeesIt) {
  kernel.path("sda").node_size = 9_GiB;

  EXPECT_EQ(measure_block(kernel, layer, false)->size, 10_GiB);
  EXPECT_EQ(measure_block(kernel, layer, true)->size, 9_GiB);
}

TEST_F(ABlockDevice, IsNotMeasuredThroughTheNodeOfAnotherDevice) {
  const auto& other = kernel.add_disk("sdb", {.address = "1:0:0:2"});
  kernel.file("/dev/sda").node_of = other.name;

  EXPECT_THAT(measure_block(kernel, layer, true),
              FailsWith(ErrorCode::no_such_device, "is not the node of sda"));
}

TEST_F(ABlockDevice, IsNotOpenedThroughASymbolicLink) {
  kernel.remove_file("/dev/sda");
  kernel.add_symlink("/dev/sda", "/dev/sdb");

  EXPECT_THAT(measure_block(kernel, layer, true), FailsWith(ErrorCode::internal, "open /dev/sda"));
}

TEST_F(ABlockDevice, IsAnotherOneWhenItsNameWasReused) {
  kernel.reuse_name("sda");

  EXPECT_THAT(measure_block(kernel, layer, false),
              FailsWith(ErrorCode::no_such_device, "belongs to another device now"));
  EXPECT_THAT(open_block(kernel, "sda", layer.identity, Access::query),
              FailsWith(ErrorCode::no_such_device, "belongs to another device now"));
}

}  // namespace
}  // namespace volgrow
