// SPDX-License-Identifier: Apache-2.0
// A loop device on the kernel that reacts: its window, its file, and the file's identity.
#include <gmock/gmock.h>

#include "connectors/all.h"
#include "tests/connectors/results.h"
#include "tests/fakes/fake_kernel.h"

namespace volgrow {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string image = "/var/lib/volumes/v1.img";

class ALoopDevice : public testing::Test {
 protected:
  ALoopDevice() { kernel.add_loop("loop0", image, 10_GiB); }

  Layer layer(const std::string& name = "loop0") { return loop->describe(kernel, name).value(); }
  Deadline soon() { return within(3s, kernel.clock().now()); }
  Result<Truth> probe(const std::string& name = "loop0") {
    return loop->probe(kernel, layer(name), soon());
  }

  FakeKernel kernel;
  std::unique_ptr<Connector> loop = loop_connector();
};

TEST_F(ALoopDevice, IsClaimedByItsName) {
  kernel.add_block("loop0p1", 1_GiB);
  kernel.add_block("loopback", 1_GiB);

  EXPECT_TRUE(loop->claims(kernel, "loop0"));
  EXPECT_FALSE(loop->claims(kernel, "loop0p1"));
  EXPECT_FALSE(loop->claims(kernel, "loopback"));
  EXPECT_FALSE(loop->claims(kernel, "loop1"));
  EXPECT_FALSE(loop->claims(kernel, "loop"));
  EXPECT_FALSE(loop->claims(kernel, image));
}

TEST_F(ALoopDevice, IsDescribedWithTheFileBelowIt) {
  Layer expected;
  expected.connector = "loop";
  expected.kind = LayerKind::loop;
  expected.device = "loop0";
  expected.identity = {kernel.loop("loop0").number, kernel.loop("loop0").diskseq};
  expected.endpoint = image;
  expected.size = 10_GiB;
  expected.has_target = true;
  expected.below = {image};

  EXPECT_EQ(layer(), expected);
}

TEST_F(ALoopDevice, WithNothingAttachedCannotBeDescribed) {
  kernel.add_block("loop7", 0_B);

  EXPECT_THAT(loop->describe(kernel, "loop7"),
              FailsWith(ErrorCode::no_such_device, "nothing is attached"));
}

TEST_F(ALoopDevice, KnowsItsTruthFromTheFile) {
  kernel.file(image).size = 20_GiB + 100_B;  // not whole sectors

  const auto truth = probe();

  ASSERT_THAT(truth, Succeeds());
  EXPECT_EQ(truth->size, 20_GiB);
  EXPECT_EQ(kernel.loop("loop0").size, 10_GiB);
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(ALoopDevice, IsIdentifiedByTheFileAndItsOffset) {
  kernel.file(image).device = 0xfe01;
  kernel.file(image).inode = 0x2a;
  kernel.add_loop("loop1", image, 10_GiB, {.offset = 1_MiB});

  EXPECT_EQ(probe()->identity,
            (Wwid{WwidType::file, "000000000000fe01000000000000002a0000000000000000"}));
  EXPECT_EQ(probe("loop1")->identity,
            (Wwid{WwidType::file, "000000000000fe01000000000000002a0000000000100000"}));
}

TEST_F(ALoopDevice, LeavesOutWhatIsBeforeItsOffsetAndBeyondItsLimit) {
  kernel.add_file("/img", 10_GiB);
  kernel.add_loop("loop1", "/img", 10_GiB, {.offset = 1_MiB});
  kernel.add_loop("loop2", "/img", 10_GiB, {.sizelimit = 3_GiB});
  kernel.add_loop("loop3", "/img", 10_GiB, {.offset = 9_GiB, .sizelimit = 3_GiB});
  kernel.add_loop("loop4", "/img", 10_GiB, {.offset = 11_GiB});

  EXPECT_EQ(probe("loop1")->size, 10_GiB - 1_MiB);
  EXPECT_EQ(probe("loop2")->size, 3_GiB);
  EXPECT_EQ(probe("loop3")->size, 1_GiB);
  EXPECT_EQ(probe("loop4")->size, 0_B);
}

TEST_F(ALoopDevice, ShowsTheNewSizeAfterGrowing) {
  kernel.file(image).size = 20_GiB;
  const auto before = layer();

  ASSERT_THAT(loop->grow(kernel, before, 20_GiB, soon()), Succeeds());

  EXPECT_EQ(loop->measure(kernel, before, true), (Measurement{20_GiB, before.identity, ""}));
  EXPECT_THAT(kernel.changes(), ElementsAre("LOOP_SET_CAPACITY loop0"));
}

TEST_F(ALoopDevice, IsNotResizedWhenNoTimeIsLeft) {
  const auto now = Deadline{kernel.clock().now()};

  EXPECT_THAT(loop->grow(kernel, layer(), 20_GiB, now), FailsWith(ErrorCode::timed_out, "loop0"));
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(ALoopDevice, SaysWhatWentWrongWithAResize) {
  kernel.loop("loop0").growth_errno = EIO;

  const auto failed = loop->grow(kernel, layer(), 20_GiB, soon());

  EXPECT_THAT(failed, FailsWith(ErrorCode::internal, "LOOP_SET_CAPACITY of loop0"));
  EXPECT_EQ(failed.error().error_number, EIO);
}

TEST_F(ALoopDevice, IsOpenedForWritingOnlyWhereReadingIsNotEnough) {
  kernel.loop("loop0").growth_errno = EPERM;
  kernel.before_growth("loop0", [this] {
    kernel.before_growth("loop0", [this] { kernel.loop("loop0").growth_errno = 0; });
  });
  kernel.file(image).size = 20_GiB;

  ASSERT_THAT(loop->grow(kernel, layer(), 20_GiB, soon()), Succeeds());

  EXPECT_EQ(kernel.loop("loop0").size, 20_GiB);
  EXPECT_EQ(kernel.changes().size(), 2U);
}

TEST_F(ALoopDevice, WhoseFileWasDeletedIsClosed) {
  kernel.remove_file(image);

  const auto described = layer();

  ASSERT_TRUE(described.closed);
  EXPECT_THAT(*described.closed, ErrorIs(ErrorCode::no_usable_path, "has no name any more"));
  EXPECT_THAT(described.below, IsEmpty());
  EXPECT_THAT(probe(), FailsWith(ErrorCode::no_usable_path, image));
}

TEST_F(ALoopDevice, WhoseFileWasReplacedUnderItsNameIsClosed) {
  kernel.replace_file(image, 20_GiB);

  EXPECT_THAT(*layer().closed, ErrorIs(ErrorCode::no_usable_path, "(deleted)"));
  EXPECT_THAT(probe(), FailsWith(ErrorCode::no_usable_path, "(deleted)"));
}

// A mount on top of the directory: the kernel prints the old path, another file answers to it.
TEST_F(ALoopDevice, RefusesAnotherFileAtThePathOfItsOwn) {
  kernel.cover_file(image, 20_GiB);

  EXPECT_THAT(probe(), FailsWith(ErrorCode::no_usable_path, "is not the file behind loop0"));
}

TEST_F(ALoopDevice, RefusesAnotherFileWithTheSameInodeNumberOnAnotherFileSystem) {
  const auto inode = kernel.file(image).inode;
  auto& other = kernel.cover_file(image, 20_GiB);
  other.inode = inode;
  other.device += 1;

  EXPECT_THAT(probe(), FailsWith(ErrorCode::no_usable_path, "is not the file behind loop0"));
}

TEST_F(ALoopDevice, WhoseFileReallyEndsInDeletedIsNotConfused) {
  kernel.add_loop("loop1", "/img (deleted)", 1_GiB);

  EXPECT_EQ(layer("loop1").closed, std::nullopt);
  EXPECT_EQ(probe("loop1")->size, 1_GiB);
}

TEST_F(ALoopDevice, OnADiskStandsOnThatDisksLayerAndHasNoTargetOfItsOwn) {
  kernel.add_disk("sda", {.size = 10_GiB});
  kernel.add_loop("loop1", "/dev/sda", 10_GiB, {.offset = 1_MiB});

  const auto described = layer("loop1");

  EXPECT_THAT(described.below, ElementsAre("sda"));
  EXPECT_FALSE(described.has_target);
  EXPECT_EQ(described.overhead, 1_MiB);
  EXPECT_EQ(probe("loop1")->size, 10_GiB - 1_MiB);
}

TEST_F(ALoopDevice, WhoseNameNowBelongsToAnotherIsNoSuchDevice) {
  const auto before = layer();
  kernel.reuse_name("loop0");

  EXPECT_THAT(loop->probe(kernel, before, soon()),
              FailsWith(ErrorCode::no_such_device, "another device"));
  EXPECT_THAT(loop->grow(kernel, before, 20_GiB, soon()),
              FailsWith(ErrorCode::no_such_device, "another device"));
  EXPECT_THAT(loop->measure(kernel, before, false),
              FailsWith(ErrorCode::no_such_device, "another device"));
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(ALoopDevice, ThatGoesWhileItIsAskedIsNoSuchDevice) {
  kernel.when_probed("loop0", 1, [this] { kernel.remove_device("loop0"); });

  EXPECT_FALSE(probe().has_value());
}

}  // namespace
}  // namespace volgrow
