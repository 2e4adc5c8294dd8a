// SPDX-License-Identifier: Apache-2.0
// SG v3 against a socket that plays the driver: what was written is a header, what is read is its
// answer. The real driver is for the lab; this machine may have no SCSI at all.
#include "connectors/sg_command.h"

#include <gmock/gmock.h>
#include <scsi/sg.h>
#include <sys/socket.h>

#include <array>

#include "connectors/scsi.h"
#include "core/fd.h"
#include "tests/connectors/results.h"
#include "tests/fakes/fake_clock.h"

namespace volgrow {
namespace {

using namespace std::chrono_literals;

class AnSgNode : public testing::Test {
 protected:
  AnSgNode() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0)
      std::abort();
    ours = Fd(ends[0]);
    drivers = Fd(ends[1]);
  }

  void driver_answers(const sg_io_hdr_t& header) {
    ASSERT_EQ(::send(drivers.get(), &header, sizeof header, 0),
              static_cast<ssize_t>(sizeof header));
  }
  Result<ScsiAnswer> send(Deadline deadline) {
    return sg_command(ours.get(), "sda", scsi::read_capacity_16(), 32, deadline, clock);
  }
  sg_io_hdr_t sent() {
    sg_io_hdr_t header{};
    EXPECT_EQ(::recv(drivers.get(), &header, sizeof header, 0),
              static_cast<ssize_t>(sizeof header));
    return header;
  }

  Fd ours, drivers;
  SystemClock clock;
  Deadline soon = within(10s, clock.now());
};

TEST_F(AnSgNode, IsSentTheCommandWithItsRoomAndTheTimeThatIsLeft) {
  FakeClock still;
  driver_answers({});

  ASSERT_THAT(sg_command(ours.get(), "sda", scsi::read_capacity_16(), 32,
                         within(2500us, still.now()), still),
              Succeeds());

  const auto header = sent();
  EXPECT_EQ(header.interface_id, 'S');
  EXPECT_EQ(header.dxfer_direction, SG_DXFER_FROM_DEV);
  EXPECT_EQ(header.cmd_len, 16);
  EXPECT_EQ(header.dxfer_len, 32U);
  EXPECT_EQ(header.timeout, 3U);  // milliseconds, never rounded down to none
}

TEST_F(AnSgNode, GivesAsMuchDataAsTheDeviceFilled) {
  sg_io_hdr_t header{};
  header.resid = 20;
  driver_answers(header);

  EXPECT_EQ(send(soon)->data.size(), 12U);
}

TEST_F(AnSgNode, IsNotBelievedAResidueThatCannotBe) {
  for (const int residue : {-5, 1000}) {
    sg_io_hdr_t header{};
    header.resid = residue;
    driver_answers(header);

    EXPECT_EQ(send(soon)->data.size(), residue < 0 ? 32U : 0U);
  }
}

TEST_F(AnSgNode, HandsOnStatusAndSenseOfTheTarget) {
  sg_io_hdr_t header{};
  header.status = 2;
  header.sb_len_wr = 18;
  header.driver_status = 0x08;  // DRIVER_SENSE of older kernels is no error
  driver_answers(header);

  const auto answer = send(soon);

  ASSERT_THAT(answer, Succeeds());
  EXPECT_EQ(answer->status, 2);
  EXPECT_EQ(answer->sense.size(), 18U);
}

TEST_F(AnSgNode, SaysInWordsThatTheTransportFailed) {
  sg_io_hdr_t header{};
  header.host_status = 1;
  driver_answers(header);

  EXPECT_THAT(send(soon), FailsWith(ErrorCode::no_usable_path, "DID_NO_CONNECT"));
}

TEST_F(AnSgNode, SaysThatTheDriverFailed) {
  sg_io_hdr_t header{};
  header.driver_status = 0x07;
  driver_answers(header);

  EXPECT_THAT(send(soon), FailsWith(ErrorCode::no_usable_path, "driver error 0x07"));
}

TEST_F(AnSgNode, IsTimedOutWhenTheDriverSaysSo) {
  sg_io_hdr_t header{};
  header.host_status = 3;
  driver_answers(header);

  EXPECT_THAT(send(soon), FailsWith(ErrorCode::timed_out, "sda"));
}

TEST_F(AnSgNode, IsSentNothingWhenNoTimeIsLeft) {
  std::array<char, 8> buffer{};

  EXPECT_THAT(send(Deadline{clock.now()}), FailsWith(ErrorCode::timed_out, "sda"));
  EXPECT_EQ(::recv(drivers.get(), buffer.data(), buffer.size(), 0), -1);
}

TEST_F(AnSgNode, IsLeftAtTheDeadline) {
  EXPECT_THAT(send(within(1ms, clock.now())), FailsWith(ErrorCode::timed_out, "sda"));
  EXPECT_GE(clock.now(), soon.at - 10s + 1ms);
}

TEST_F(AnSgNode, ThatIsGoneIsOfNoUse) {
  drivers = Fd();

  EXPECT_FALSE(send(soon).has_value());
}

TEST_F(AnSgNode, ThatIsNoBlockDeviceKnowsNoSgIo) {
  const auto answer = sg_io_command(ours.get(), "sda", scsi::read_capacity_16(), 32, soon, clock);

  EXPECT_THAT(answer, FailsWith(ErrorCode::internal, "SCSI command to sda"));
}

}  // namespace
}  // namespace volgrow
