// SPDX-License-Identifier: Apache-2.0
// tgtd's listing as tgt 1.0.85 printed it, and ends of its socket that are no tgtd.
#include "backend/tgt_daemon.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <thread>

#include "core/fd.h"
#include "tests/connectors/results.h"
#include "tests/fakes/real_loop.h"

namespace volgrow::backend {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string listing =
    "Target 1: iqn.2026-01.org.volgrow:volume-a\n"
    "    System information:\n"
    "        Driver: iscsi\n"
    "        State: ready\n"
    "    I_T nexus information:\n"
    "        I_T nexus: 2\n"
    "            Initiator: iqn.host-1 alias: compute 1\n"
    "            Connection: 0\n"
    "                IP Address: 127.0.0.1\n"
    "    LUN information:\n"
    "        LUN: 0\n"
    "            Type: controller\n"
    "            Backing store path: None\n"
    "        LUN: 1\n"
    "            Type: disk\n"
    "            Backing store path: /srv/my volumes/volume-a\n"
    "            Backing store flags: \n"
    "    Account information:\n"
    "        host7\n"
    "    ACL information:\n"
    "        ALL\n"
    "        iqn.host-1\n"
    "Target 12: iqn.2026-01.org.volgrow:volume-b\n"
    "    I_T nexus information:\n"
    "    LUN information:\n"
    "        LUN: 0\n"
    "            Backing store path: None\n"
    "    ACL information:\n";

TEST(AListing, TellsOfEachTargetWhoHasItAndWhatIsBehindIt) {
  EXPECT_THAT(parse_targets(listing),
              ElementsAre(TgtTarget{1,
                                    "iqn.2026-01.org.volgrow:volume-a",
                                    "/srv/my volumes/volume-a",
                                    {"iqn.host-1"},
                                    {"ALL", "iqn.host-1"}},
                          TgtTarget{12, "iqn.2026-01.org.volgrow:volume-b", {}, {}, {}}));
}

TEST(AListing, OfNothingIsEmpty) {
  EXPECT_THAT(parse_targets(""), IsEmpty());
  EXPECT_THAT(parse_targets("Target x: y\nTarget 1:\n    LUN information:\n        LUN: 1\n"),
              IsEmpty());
}

/// Answers `answer` to whatever comes, and then says nothing more.
class ASocketThatIsNoTgtd : public ::testing::Test {
 protected:
  ASocketThatIsNoTgtd() : listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    EXPECT_EQ(::bind(listener.get(), generic, sizeof address), 0);
    EXPECT_EQ(::listen(listener.get(), 4), 0);
  }
  /// `hang_up`: and closes its end.
  Result<std::vector<TgtTarget>> targets_from(const std::string& answer, bool hang_up,
                                              Duration limit) {
    Fd connection;
    const std::jthread server([&] {
      connection = Fd(::accept(listener.get(), nullptr, nullptr));
      std::array<char, 120> request{};
      ::recv(connection.get(), request.data(), request.size(), MSG_WAITALL);
      ::send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
      if (hang_up) connection = Fd();
    });
    const auto clock = std::make_shared<const SystemClock>();
    return TgtDaemon(path, clock).targets(within(limit, clock->now()));
  }

  TemporaryDirectory folder;
  std::string path = folder / "socket";
  Fd listener;
};

TEST_F(ASocketThatIsNoTgtd, IsGivenUpAtTheDeadlineWhenItSaysNothing) {
  EXPECT_THAT(targets_from("", false, 50ms), FailsWith(ErrorCode::timed_out, "tgtd did not"));
}

TEST_F(ASocketThatIsNoTgtd, IsNotBelievedWhenItHangsUp) {
  EXPECT_THAT(targets_from("abc", true, 20s), FailsWith(ErrorCode::internal, "hung up"));
}

TEST_F(ASocketThatIsNoTgtd, IsNotBelievedWhenItAnnouncesTooMuch) {
  const std::string absurd("\0\0\0\0\xff\xff\xff\xff", 8);

  EXPECT_THAT(targets_from(absurd, false, 20s), FailsWith(ErrorCode::internal, "4294967295 bytes"));
}

TEST_F(ASocketThatIsNoTgtd, HasItsReasonToldWhenItRefuses) {
  const std::string no_driver("\3\0\0\0\10\0\0\0", 8);

  EXPECT_THAT(targets_from(no_driver, true, 20s),
              FailsWith(ErrorCode::internal, "it has no driver \"iscsi\" (3)"));
}

}  // namespace
}  // namespace volgrow::backend
