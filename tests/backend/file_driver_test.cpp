// SPDX-License-Identifier: Apache-2.0
// The driver "file" with real files and real loop devices of this machine.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

#include <filesystem>

#include "backend/driver.h"
#include "backend/loop_devices.h"
#include "tests/connectors/results.h"
#include "tests/fakes/real_loop.h"

namespace volgrow::backend {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

const Attachment first{"compute-1", std::nullopt};
const Attachment second{"compute-2", std::nullopt};

std::string device_in(const Connection& connection) {
  return *connection.info.find("data")->find("device_path")->text();
}

Fd open_device(const std::string& node) {
  return Fd(::open(node.c_str(), O_RDONLY | O_CLOEXEC));
}

loop_info64 status_of(const std::string& node) {
  loop_info64 info{};
  EXPECT_EQ(::ioctl(open_device(node).get(), LOOP_GET_STATUS64, &info), 0) << node;
  return info;
}

Bytes size_of(const std::string& node) {
  std::uint64_t size = 0;
  EXPECT_EQ(::ioctl(open_device(node).get(), BLKGETSIZE64, &size), 0) << node;
  return Bytes(size);
}

class AFileBackEndOnRealLoops : public ::testing::Test {
 protected:
  AFileBackEndOnRealLoops() {
    BackEnd settings;
    settings.name = "fast";
    settings.path = folder.path();
    driver = make_driver(settings, std::make_shared<const SystemClock>());
  }
  void SetUp() override {
    if (!std::filesystem::exists("/dev/loop-control")) GTEST_SKIP() << "no loop devices here";
    ASSERT_THAT(driver->create("a", 64_MiB), Succeeds());
  }
  /// What is left of a failed test as well.
  ~AFileBackEndOnRealLoops() override {
    for (const auto& loop : devices())
      std::ignore = detach_loop(loop, status());
  }

  Deadline soon() const { return within(30s, SystemClock().now()); }
  std::string file() const { return folder / "volume-a"; }
  struct stat status() const {
    struct stat found {};
    ::stat(file().c_str(), &found);
    return found;
  }
  std::vector<LoopDevice> devices() const { return loops_over("volume-a", status()).value(); }
  std::string exported_to(const Attachment& attachment) const {
    const auto connection = driver->export_to("a", attachment, soon());
    EXPECT_THAT(connection, Succeeds());
    return connection ? device_in(*connection) : "";
  }

  TemporaryDirectory folder;
  std::shared_ptr<const Driver> driver;
};

TEST_F(AFileBackEndOnRealLoops, SaysWhatItCan) {
  const auto can = driver->capabilities();

  ASSERT_THAT(can, Succeeds());
  const auto space = std::filesystem::space(folder.path());
  EXPECT_EQ(can->driver, "file");
  EXPECT_EQ(can->protocol, "local");
  EXPECT_TRUE(can->in_use_extend);
  EXPECT_EQ(can->total.count(), space.capacity);
  EXPECT_GT(can->free, 0_B);
}

TEST_F(AFileBackEndOnRealLoops, ExportsAVolumeAsALocalDevice) {
  const auto connection = driver->export_to("a", first, soon());

  ASSERT_THAT(connection, Succeeds());
  const auto node = device_in(*connection);
  EXPECT_EQ(connection->info, Value(Value::Object{{"driver_volume_type", "local"},
                                                  {"data", Value::Object{{"device_path", node},
                                                                         {"volume_id", "a"},
                                                                         {"discard", false},
                                                                         {"qos_specs", nullptr},
                                                                         {"access_mode", "rw"},
                                                                         {"encrypted", false},
                                                                         {"cacheable", false}}}}));
  EXPECT_THAT(node, StartsWith("/dev/loop"));
  EXPECT_EQ(size_of(node), 64_MiB);
  EXPECT_EQ(status_of(node).lo_inode, status().st_ino);
  EXPECT_EQ(status_of(node).lo_flags & LO_FLAGS_READ_ONLY, 0U);
}

TEST_F(AFileBackEndOnRealLoops, ExportsToOneHostOnce) {
  EXPECT_EQ(exported_to(first), exported_to(first));
  EXPECT_THAT(devices(), SizeIs(1));
}

TEST_F(AFileBackEndOnRealLoops, ExportsToEachHostADeviceOfItsOwn) {
  const auto one = exported_to(first);
  const auto other = exported_to(second);

  EXPECT_NE(one, other);
  EXPECT_EQ(exported_to(first), one);
  EXPECT_EQ(exported_to(second), other);
}

TEST_F(AFileBackEndOnRealLoops, FindsAnExportAgainAfterARestart) {
  const auto node = exported_to(first);
  BackEnd settings;
  settings.path = folder.path();
  driver = make_driver(settings, std::make_shared<const SystemClock>());

  EXPECT_EQ(exported_to(first), node);
}

TEST_F(AFileBackEndOnRealLoops, GrowsInUseWithoutTouchingTheDevice) {
  const auto node = exported_to(first);

  EXPECT_EQ(driver->extend("a", 96_MiB, soon()), Measured{96_MiB});

  EXPECT_EQ(driver->size("a"), Measured{96_MiB});
  EXPECT_EQ(size_of(node), 64_MiB);
  ASSERT_EQ(::ioctl(open_device(node).get(), LOOP_SET_CAPACITY), 0);  // as the agent does it
  EXPECT_EQ(size_of(node), 96_MiB);
}

TEST_F(AFileBackEndOnRealLoops, UnexportsFromOneHostAndNotFromTheOther) {
  exported_to(first);
  const auto other = exported_to(second);

  EXPECT_EQ(driver->unexport("a", first, soon()), Unexported{});

  ASSERT_THAT(devices(), SizeIs(1));
  EXPECT_EQ(devices().front().node, other);
}

TEST_F(AFileBackEndOnRealLoops, UnexportsWhatIsNotExported) {
  EXPECT_EQ(driver->unexport("a", first, soon()), Unexported{});
  EXPECT_EQ(driver->unexport("missing", first, soon()), Unexported{});
}

TEST_F(AFileBackEndOnRealLoops, SaysThatADeviceIsStillOpenAndLeavesLater) {
  const auto node = exported_to(first);
  auto user = open_device(node);

  EXPECT_EQ(driver->unexport("a", first, soon()), Unexported{node});
  EXPECT_EQ(driver->unexport("a", first, soon()), Unexported{node});

  user = Fd();
  EXPECT_THAT(devices(), IsEmpty());
  EXPECT_EQ(driver->unexport("a", first, soon()), Unexported{});
}

TEST_F(AFileBackEndOnRealLoops, ExportsNoDeviceThatIsAboutToLeave) {
  const auto node = exported_to(first);
  const auto user = open_device(node);
  ASSERT_EQ(driver->unexport("a", first, soon()), Unexported{node});

  const auto another = exported_to(first);

  EXPECT_NE(another, node);
  EXPECT_EQ(driver->unexport("a", first, soon()), Unexported{});
}

TEST_F(AFileBackEndOnRealLoops, RemovesNothingThatIsAttached) {
  exported_to(first);

  EXPECT_THAT(driver->remove("a", soon()), FailsWith(ErrorCode::busy, "is attached as /dev/loop"));
  EXPECT_THAT(driver->unexport("a", first, soon()), Succeeds());
  EXPECT_EQ(driver->remove("a", soon()), Removed{});
  EXPECT_EQ(driver->remove("a", soon()), Removed{});
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(AFileBackEndOnRealLoops, TakesADeviceThatSomebodyElseAttachedForNoExportOfIts) {
  const auto foreign = RealLoop::attach(file());
  ASSERT_NE(foreign, nullptr);

  EXPECT_NE(exported_to(first), "/dev/" + foreign->name());
  EXPECT_EQ(driver->unexport("a", first, soon()), Unexported{});
  EXPECT_THAT(driver->remove("a", soon()), FailsWith(ErrorCode::busy, foreign->name()));
}

TEST_F(AFileBackEndOnRealLoops, KeepsItsHandsOffAVolumeThatIsHeldOnlyWhileItWorks) {
  exported_to(first);

  // The device keeps the file open for as long as it lives; that must not look like a lock.
  EXPECT_THAT(driver->extend("a", 96_MiB, soon()), Succeeds());
}

TEST_F(AFileBackEndOnRealLoops, TakesNoDeviceOfAVolumeThatIsCalledTheSameElsewhere) {
  const auto ours = exported_to(first);
  const TemporaryDirectory elsewhere;
  BackEnd settings;
  settings.path = elsewhere.path();
  const auto other = make_driver(settings, std::make_shared<const SystemClock>());
  ASSERT_THAT(other->create("a", 32_MiB), Succeeds());

  const auto connection = other->export_to("a", first, soon());

  ASSERT_THAT(connection, Succeeds());
  EXPECT_NE(device_in(*connection), ours);
  EXPECT_EQ(size_of(device_in(*connection)), 32_MiB);
  EXPECT_EQ(other->unexport("a", first, soon()), Unexported{});
  EXPECT_EQ(exported_to(first), ours);
}

TEST_F(AFileBackEndOnRealLoops, ExportsNoVolumeThatIsNotThere) {
  EXPECT_THAT(driver->export_to("b", first, soon()),
              FailsWith(ErrorCode::no_such_volume, "volume-b"));
  EXPECT_THAT(driver->extend("b", 1_GiB, soon()), FailsWith(ErrorCode::no_such_volume, "volume-b"));
}

TEST(TheMarkOfAHost, IsItsNameAndForALongOneStillItsOwn) {
  const std::string stem(60, 'h');

  EXPECT_EQ(mark_of("compute-1.example.org"), "volgrow:compute-1.example.org");
  EXPECT_THAT(mark_of(stem + "1"), SizeIs(LO_NAME_SIZE - 1));
  EXPECT_NE(mark_of(stem + "1"), mark_of(stem + "2"));
}

}  // namespace
}  // namespace volgrow::backend
