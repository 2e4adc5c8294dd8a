// SPDX-License-Identifier: Apache-2.0
// LinuxHost and the loop connector on this machine's own kernel: what the fake kernel claims of
// loop devices is claimed here again of the real one.
#include "connectors/linux_host.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <linux/fs.h>
#include <sys/stat.h>

#include <fstream>

#include "connectors/all.h"
#include "connectors/block_device.h"
#include "tests/connectors/results.h"
#include "tests/fakes/real_loop.h"

namespace volgrow {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class TheMachine : public testing::Test {
 protected:
  SystemClock clock;
  std::unique_ptr<Host> host = open_linux_host(clock).value();
  TemporaryDirectory directory;
};

TEST_F(TheMachine, FollowsNoLinkInTheLastComponent) {
  std::ofstream(directory / "file") << "text";
  std::filesystem::create_symlink("file", directory / "link");

  EXPECT_EQ(host->status(directory / "file")->size, 4_B);
  EXPECT_TRUE(S_ISLNK(host->status(directory / "link")->mode));
  EXPECT_THAT(host->open(directory / "link", Access::query),
              FailsWith(ErrorCode::internal, "symbolic link"));
  EXPECT_EQ(host->canonical(directory / "link"),
            std::filesystem::canonical(directory / "file").string());
}

TEST_F(TheMachine, NeverWaitsForTheOtherEndOfAFifo) {
  ASSERT_EQ(::mkfifo((directory / "fifo").c_str(), 0600), 0);

  const auto node = host->open(directory / "fifo", Access::query);

  ASSERT_THAT(node, Succeeds());
  EXPECT_TRUE(S_ISFIFO((*node)->status()->mode));
}

TEST_F(TheMachine, HasNoSuchDeviceWhereAPathIsMissing) {
  const auto path = directory / "missing";

  EXPECT_THAT(host->status(path), FailsWith(ErrorCode::no_such_device, path));
  EXPECT_THAT(host->canonical(path), FailsWith(ErrorCode::no_such_device, path));
  EXPECT_THAT(host->open(path, Access::query), FailsWith(ErrorCode::no_such_device, path));
}

TEST_F(TheMachine, SaysWhichIoctlAFileDoesNotHave) {
  std::ofstream(directory / "file") << "text";
  std::uint64_t bytes = 0;

  const auto answer =
      host->open(directory / "file", Access::query).value()->control(BLKGETSIZE64, &bytes);

  EXPECT_THAT(answer, FailsWith(ErrorCode::internal, "0x80081272"));
  EXPECT_EQ(answer.error().error_number, ENOTTY);
}

TEST_F(TheMachine, ShowsItsMountTable) {
  const auto table = host->read_file("/proc/self/mountinfo");

  ASSERT_THAT(table, Succeeds());
  EXPECT_NE(table->find(" / "), std::string::npos);
}

TEST_F(TheMachine, SendsNoScsiCommandToADiskThatIsNotThere) {
  EXPECT_THAT(host->scsi("sdzzz", within(1s, clock.now())),
              FailsWith(ErrorCode::no_such_device, "sdzzz"));
}

class ARealLoopDevice : public TheMachine {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "loop devices need root";
    resize_sparse(image, 64_MiB);
    device = RealLoop::attach(image, offset, sizelimit);
    ASSERT_TRUE(device) << "this machine gives no loop device";
  }

  Layer layer() { return loop->describe(*host, device->name()).value(); }
  Deadline soon() { return within(10s, clock.now()); }

  std::string image = directory / "v1.img";
  Bytes offset, sizelimit;
  std::unique_ptr<RealLoop> device;
  std::unique_ptr<Connector> loop = loop_connector();
};

TEST_F(ARealLoopDevice, IsDescribedAsTheKernelShowsIt) {
  ASSERT_TRUE(loop->claims(*host, device->name()));

  const auto described = layer();

  EXPECT_EQ(described.size, 64_MiB);
  EXPECT_EQ(described.endpoint, image);
  EXPECT_THAT(described.below, ElementsAre(image));
  EXPECT_EQ(described.closed, std::nullopt);
  EXPECT_EQ(described.identity.number, host->status("/dev/" + device->name())->device_number);
  EXPECT_GT(described.identity.diskseq, 0U);
}

TEST_F(ARealLoopDevice, KnowsTheTruthBeforeItGrowsAndShowsItAfterwards) {
  const auto before = layer();
  resize_sparse(image, 128_MiB);

  EXPECT_EQ(loop->probe(*host, before, soon())->size, 128_MiB);
  EXPECT_EQ(loop->measure(*host, before, true)->size, 64_MiB);
  ASSERT_THAT(loop->grow(*host, before, 128_MiB, soon()), Succeeds());
  EXPECT_EQ(loop->measure(*host, before, true), (Measurement{128_MiB, before.identity, ""}));
}

TEST_F(ARealLoopDevice, IsIdentifiedByTheFileBehindIt) {
  const auto file = host->status(image).value();

  const auto identity = loop->probe(*host, layer(), soon())->identity;

  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->hex, fmt::format("{:016x}{:016x}{:016x}", file.device, file.inode, 0));
}

TEST_F(ARealLoopDevice, WhoseFileWasReplacedUnderItsNameIsClosedAndRefused) {
  resize_sparse(directory / "other", 128_MiB);
  std::filesystem::rename(directory / "other", image);

  const auto described = layer();

  ASSERT_TRUE(described.closed);
  EXPECT_THAT(*described.closed, ErrorIs(ErrorCode::no_usable_path, "(deleted)"));
  EXPECT_THAT(loop->probe(*host, described, soon()), FailsWith(ErrorCode::no_usable_path, ""));
}

TEST_F(ARealLoopDevice, IsAnotherDeviceOnceSomethingElseIsAttached) {
  const auto before = layer();
  const auto name = device->name();
  device.reset();
  const auto again = RealLoop::attach(image);
  if (!again || again->name() != name) GTEST_SKIP() << "somebody else took " << name;

  EXPECT_THAT(loop->measure(*host, before, true),
              FailsWith(ErrorCode::no_such_device, "belongs to another device now"));
}

TEST_F(ARealLoopDevice, IsFoundByItsNodeInALocalConnection) {
  const auto files = file_connector({});
  const ConnectionInfo info{"local", {{"device_path", "/dev/" + device->name()}}, std::nullopt};

  EXPECT_EQ(files->discover(*host, info), std::vector<std::string>{device->name()});
}

class ARealLoopDeviceWithAWindow : public ARealLoopDevice {
 protected:
  ARealLoopDeviceWithAWindow() {
    offset = 1_MiB;
    sizelimit = 100_MiB;
  }
};

TEST_F(ARealLoopDeviceWithAWindow, GrowsNoFurtherThanItsLimit) {
  const auto before = layer();
  ASSERT_EQ(before.size, 63_MiB);
  resize_sparse(image, 128_MiB + 100_B);

  EXPECT_EQ(loop->probe(*host, before, soon())->size, 100_MiB);
  ASSERT_THAT(loop->grow(*host, before, 100_MiB, soon()), Succeeds());
  EXPECT_EQ(loop->measure(*host, before, true)->size, 100_MiB);
}

TEST_F(ARealLoopDeviceWithAWindow, RoundsItsTruthDownToSectorsAsTheKernelDoes) {
  const auto before = layer();
  resize_sparse(image, 65_MiB + 1000_B);

  const auto truth = loop->probe(*host, before, soon());

  ASSERT_THAT(loop->grow(*host, before, truth->size, soon()), Succeeds());
  EXPECT_EQ(truth->size, 64_MiB + 512_B);
  EXPECT_EQ(loop->measure(*host, before, true)->size, truth->size);
}

}  // namespace
}  // namespace volgrow
