// SPDX-License-Identifier: Apache-2.0
// Real uevents of real loop devices: their flood, their loss, and what they say.
#include "connectors/uevents.h"

#include <gmock/gmock.h>
#include <poll.h>
#include <sys/stat.h>

#include "tests/connectors/results.h"
#include "tests/fakes/real_loop.h"

namespace volgrow {
namespace {

class TheUeventMonitor : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "loop devices need root";
    resize_sparse(image, 1_MiB);
    device = RealLoop::attach(image);
    ASSERT_TRUE(device) << "this machine gives no loop device";
  }

  /// Grows the file by a sector and tells the kernel: one RESIZE=1 event, sent before the ioctl
  /// ends.
  void resize() {
    size = size + 512_B;
    resize_sparse(image, size);
    ASSERT_EQ(::ioctl(device->node(), LOOP_SET_CAPACITY, 0), 0);
  }
  /// Other tests and people change devices of this machine, too.
  std::vector<Uevent> of_our_device(UeventMonitor::Batch batch) {
    std::erase_if(batch.events, [&](const auto& event) { return event.device != device->name(); });
    return batch.events;
  }

  TemporaryDirectory directory;
  std::string image = directory / "v1.img";
  Bytes size = 1_MiB;
  std::unique_ptr<RealLoop> device;
};

constexpr std::size_t everything = 100000;

TEST_F(TheUeventMonitor, HearsThatALoopDeviceWasResized) {
  const auto monitor = UeventMonitor::open(1_MiB).value();

  resize();

  const auto events = of_our_device(monitor->receive(everything));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].action, "change");
  EXPECT_EQ(events[0].subsystem, "block");
  EXPECT_TRUE(events[0].resized);
  struct stat node {};
  ASSERT_EQ(::fstat(device->node(), &node), 0);
  EXPECT_EQ(events[0].device_number, node.st_rdev);
}

TEST_F(TheUeventMonitor, ReturnsAtOnceWhenThereIsNothing) {
  const auto monitor = UeventMonitor::open(1_MiB).value();
  monitor->receive(everything);

  EXPECT_FALSE(monitor->receive(everything).lost);
}

TEST_F(TheUeventMonitor, IsReadyForPollWhenThereIsSomething) {
  const auto monitor = UeventMonitor::open(1_MiB).value();
  resize();

  pollfd waiting{monitor->fd(), POLLIN, 0};

  EXPECT_EQ(::poll(&waiting, 1, 0), 1);
}

TEST_F(TheUeventMonitor, TakesNoMoreThanItsLimitAtOnce) {
  const auto monitor = UeventMonitor::open(1_MiB).value();
  for (int i = 0; i < 10; ++i)
    resize();

  EXPECT_LE(monitor->receive(3).events.size(), 3U);
  EXPECT_GE(of_our_device(monitor->receive(everything)).size(), 7U);
}

TEST_F(TheUeventMonitor, SaysThatEventsWereLostAndGoesOn) {
  const auto monitor = UeventMonitor::open(4_KiB).value();
  for (int i = 0; i < 200; ++i)
    resize();

  const auto flood = monitor->receive(everything);
  resize();
  const auto afterwards = monitor->receive(everything);

  EXPECT_TRUE(flood.lost);
  EXPECT_FALSE(afterwards.lost);
  EXPECT_EQ(of_our_device(afterwards).size(), 1U);
}

TEST_F(TheUeventMonitor, LosesNothingOfAFloodWithALargeBuffer) {
  const auto monitor = UeventMonitor::open(64_MiB).value();
  for (int i = 0; i < 1000; ++i)
    resize();

  const auto flood = monitor->receive(everything);

  EXPECT_FALSE(flood.lost);
  EXPECT_EQ(of_our_device(flood).size(), 1000U);
}

}  // namespace
}  // namespace volgrow
