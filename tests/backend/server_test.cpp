// SPDX-License-Identifier: Apache-2.0
// The server as a peer sees it that sends packets by hand, honest ones and others.
#include "backend/server.h"

#include <gmock/gmock.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <thread>

#include "backend/listener.h"
#include "tests/backend/fake_driver.h"
#include "tests/connectors/results.h"
#include "tests/fakes/fake_time_loop.h"
#include "tests/fakes/real_loop.h"

namespace volgrow::backend {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr uid_t stranger = 65534;

/// Our end of a connection.
class RawPeer {
 public:
  explicit RawPeer(Fd socket) : socket_(std::move(socket)) {}

  bool send(const std::string& packet) const {
    return ::send(socket_.get(), packet.data(), packet.size(), MSG_NOSIGNAL) >= 0;
  }
  bool has_answer() const {
    pollfd waiting{socket_.get(), POLLIN, 0};
    return ::poll(&waiting, 1, 0) > 0;
  }
  /// Empty: the server hung up.
  std::string receive() const {
    std::string packet(longest_packet.count(), '\0');
    const auto size = ::recv(socket_.get(), packet.data(), packet.size(), MSG_DONTWAIT);
    packet.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return packet;
  }
  /// Bytes, with the kernel's own, that the server has not taken yet.
  int unread() const {
    int bytes = 0;
    ::ioctl(socket_.get(), SIOCOUTQ, &bytes);
    return bytes;
  }
  int fd() const { return socket_.get(); }

 private:
  Fd socket_;
};

class TheServer : public ::testing::Test {
 protected:
  TheServer() { start({.lanes = 2, .connections = 3, .in_flight = 4}); }
  ~TheServer() override { driver->let_go(); }

  void start(ServerLimits limits) {
    server = Server::create({loop, loop.clock(), *log}, {{"fast", driver}}, 1000, limits).value();
  }
  RawPeer connect() {
    std::array<int, 2> ends{};
    const int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;
    EXPECT_EQ(::socketpair(AF_UNIX, type, 0, ends.data()), 0);
    server->serve(Fd(ends[0]));
    return RawPeer(Fd(ends[1]));
  }
  std::string answer_on(const RawPeer& from) {
    EXPECT_TRUE(loop.run_until([&] { return from.has_answer(); }));
    return from.receive();
  }
  Result<Answer> ask(const RawPeer& from, const std::string& packet) {
    EXPECT_TRUE(from.send(packet));
    return answer_from(answer_on(from));
  }
  Result<Answer> ask(const RawPeer& from, std::uint64_t id, Call call) {
    return ask(from, to_packet(Request{id, 10s, std::move(call)}));
  }
  /// Until nothing is ready any more.
  void turn() {
    const auto idle = loop.when_idle([this] { loop.exit(0); });
    ASSERT_TRUE(loop.run());
  }
  std::string logged() const { return text.str(); }

  FakeTimeLoop loop;
  std::ostringstream text;
  std::unique_ptr<Log> log = stream_log(text, LogLevel::info);
  std::shared_ptr<FakeDriver> driver = std::make_shared<FakeDriver>();
  std::unique_ptr<Server> server;
};

TEST_F(TheServer, CarriesOutEachVerb) {
  const auto peer = connect();
  const VolumeName volume{"fast", "a"};

  EXPECT_EQ(ask(peer, 1, Create{volume, 1_GiB}), (Answer{1, Measured{1_GiB}}));
  EXPECT_EQ(ask(peer, 2, Extend{volume, 2_GiB}), (Answer{2, Measured{2_GiB}}));
  EXPECT_EQ(ask(peer, 3, GetSize{volume}), (Answer{3, Measured{2_GiB}}));
  EXPECT_EQ(ask(peer, 4, Unexport{volume, {"host", {}}}), (Answer{4, Unexported{"/dev/loop9"}}));
  EXPECT_EQ(ask(peer, 5, Remove{volume}), (Answer{5, Removed{}}));
  EXPECT_EQ(ask(peer, 6, GetCapabilities{"fast"}),
            (Answer{6, Capabilities{"fake", "local", true, 10_GiB, 5_GiB, 20}}));
  const auto exported = ask(peer, 7, Export{volume, {"host", {}}});
  ASSERT_THAT(exported, Succeeds());
  EXPECT_TRUE(std::holds_alternative<Connection>(exported->outcome.value()));
}

TEST_F(TheServer, LogsWhatItChangedAndWhatFailedButNoQuestions) {
  const auto peer = connect();
  ask(peer, 1, Create{{"fast", "a"}, 1_GiB});
  ask(peer, 2, GetSize{{"fast", "a"}});
  ask(peer, 3, GetSize{{"fast", "b"}});

  EXPECT_EQ(logged(),
            "info: done: create of volume a on fast [VOLGROW_VOLUME=a]\n"
            "warning: there is no b [VOLGROW_VOLUME=b VOLGROW_ERROR=NoSuchVolume]\n");
}

TEST_F(TheServer, SaysThatABackEndIsNotInItsSettings) {
  const auto answer = ask(connect(), 1, GetSize{{"slow", "a"}});

  ASSERT_THAT(answer, Succeeds());
  EXPECT_THAT(answer->outcome, FailsWith(ErrorCode::not_initialised, "no back end slow"));
}

TEST_F(TheServer, AnswersOthersWhileAVolumeIsBusy) {
  const auto peer = connect();
  driver->hold("a");
  ASSERT_TRUE(peer.send(to_packet(Request{1, 10s, Extend{{"fast", "a"}, 1_GiB}})));

  const auto other = ask(peer, 2, Create{{"fast", "b"}, 1_GiB});
  EXPECT_EQ(other, (Answer{2, Measured{1_GiB}}));

  driver->let_go();
  EXPECT_EQ(answer_from(answer_on(peer)), (Answer{1, Measured{1_GiB}}));
}

TEST_F(TheServer, AnswersAtTheDeadlineWhenTheStorageDoesNotComeBack) {
  const auto peer = connect();
  driver->hold("a");
  ASSERT_TRUE(peer.send(to_packet(Request{1, 10s, Extend{{"fast", "a"}, 1_GiB}})));
  // Another answer shows that the first request has been taken.
  ask(peer, 2, Create{{"fast", "b"}, 1_GiB});
  driver->wait_until_held();
  loop.advance(10s);

  const auto answer = answer_from(answer_on(peer));

  ASSERT_THAT(answer, Succeeds());
  EXPECT_THAT(answer->outcome, FailsWith(ErrorCode::timed_out, "extend of volume a on fast"));
  EXPECT_THAT(logged(), HasSubstr("1 calls on back end fast have not come back"));
}

TEST_F(TheServer, RefusesARequestItDoesNotKnowAndGoesOn) {
  const auto peer = connect();

  const auto refused = ask(peer, R"({"version":1,"id":5,"limit_ms":1,"verb":"format"})");

  ASSERT_THAT(refused, Succeeds());
  EXPECT_EQ(refused->id, 5U);
  EXPECT_THAT(refused->outcome, FailsWith(ErrorCode::invalid_args, "verb"));
  EXPECT_THAT(ask(peer, 6, GetCapabilities{"fast"}), Succeeds());
}

TEST_F(TheServer, HangsUpOnWhoDoesNotSpeakItsLanguage) {
  const auto peer = connect();

  const auto refused = ask(peer, "GET / HTTP/1.1");

  ASSERT_THAT(refused, Succeeds());
  EXPECT_EQ(refused->id, 0U);
  EXPECT_THAT(refused->outcome, FailsWith(ErrorCode::invalid_args, "not JSON"));
  EXPECT_EQ(answer_on(peer), "");
}

TEST_F(TheServer, HangsUpOnAPacketThatIsTooLong) {
  const auto peer = connect();
  ASSERT_TRUE(peer.send(std::string(longest_packet.count() + 1, ' ')));

  EXPECT_EQ(answer_on(peer), "");
}

TEST_F(TheServer, SurvivesAPeerThatLeavesBeforeItsAnswer) {
  {
    const auto peer = connect();
    driver->hold("a");
    ASSERT_TRUE(peer.send(to_packet(Request{1, 10s, Extend{{"fast", "a"}, 1_GiB}})));
    ask(peer, 2, GetCapabilities{"fast"});
    driver->wait_until_held();
  }
  driver->let_go();

  const auto other = connect();
  EXPECT_THAT(ask(other, 1, GetSize{{"fast", "a"}}), Succeeds());
}

/// As many descriptors as are open in this process.
std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

TEST_F(TheServer, KeepsNoDescriptorThatIsSentToIt) {
  const auto peer = connect();
  const auto packet = to_packet(Request{1, 10s, GetCapabilities{"fast"}});
  iovec part{const_cast<char*>(packet.data()), packet.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  auto* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int sent = STDIN_FILENO;
  std::memcpy(CMSG_DATA(header), &sent, sizeof sent);
  ask(peer, 1, GetCapabilities{"fast"});
  const auto before = open_descriptors();
  ASSERT_GT(::sendmsg(peer.fd(), &message, MSG_NOSIGNAL), 0);

  EXPECT_THAT(answer_from(answer_on(peer)), Succeeds());

  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(TheServer, LeavesCallsBeyondItsLimitInTheSocketUntilOthersAreAnswered) {
  const auto peer = connect();
  driver->hold("a");
  for (std::uint64_t id = 1; id <= 6; ++id)
    ASSERT_TRUE(peer.send(to_packet(Request{id, 10s, Extend{{"fast", "a"}, 1_GiB}})));
  turn();
  EXPECT_GT(peer.unread(), 0);
  driver->let_go();

  for (std::uint64_t id = 1; id <= 6; ++id)
    EXPECT_EQ(answer_from(answer_on(peer)), (Answer{id, Measured{1_GiB}}));
}

TEST_F(TheServer, DoesNotReadOnFromWhoDoesNotReadItsAnswers) {
  const auto peer = connect();
  const auto packet = to_packet(Request{1, 10s, GetCapabilities{"fast"}});
  constexpr std::size_t plenty = 100'000;
  std::size_t sent = 0;
  for (bool accepted = true; accepted && sent < plenty; turn())
    while (sent < plenty && (accepted = peer.send(packet)))
      ++sent;

  EXPECT_LT(sent, plenty);
  for (std::size_t i = 0; i < sent; ++i)
    ASSERT_THAT(answer_from(answer_on(peer)), Succeeds());
}

TEST_F(TheServer, TakesNoMoreConnectionsThanItMay) {
  const auto first = connect();
  const auto second = connect();
  const auto third = connect();
  const auto fourth = connect();

  const auto answer = answer_from(answer_on(fourth));
  ASSERT_THAT(answer, Succeeds());
  EXPECT_THAT(answer->outcome, FailsWith(ErrorCode::limits_exceeded, "3 connections"));
  EXPECT_EQ(answer_on(fourth), "");
  EXPECT_THAT(ask(first, 1, GetCapabilities{"fast"}), Succeeds());
}

TEST_F(TheServer, TakesANewConnectionInPlaceOfOneThatEnded) {
  for (int i = 0; i < 10; ++i)
    EXPECT_THAT(ask(connect(), 1, GetCapabilities{"fast"}), Succeeds());
}

/// The socket as it is bound, and what users get who ask there.
class TheServersSocket : public TheServer {
 protected:
  TheServersSocket() {
    auto listener = bind_listener(path, 1000);
    EXPECT_THAT(listener, Succeeds());
    EXPECT_THAT(server->listen(std::move(*listener)), Succeeds());
  }
  /// Only the thread becomes that user. Empty: it was not let in or hung up on.
  std::string answer_for(uid_t uid) {
    std::string answer;
    const Fd bell(::eventfd(0, EFD_CLOEXEC));
    const std::jthread thread([&] {
      ::syscall(SYS_setresuid, -1, uid, -1);
      answer = answer_at(path);
      ::eventfd_write(bell.get(), 1);
    });
    const auto watch = loop.on_ready(bell.get(), EPOLLIN, [&](std::uint32_t) { loop.exit(0); });
    EXPECT_TRUE(loop.run());
    return answer;
  }

  TemporaryDirectory folder;
  std::string path = folder / "backend.sock";

 private:
  static std::string answer_at(const std::string& path) {
    const Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(socket.get(), generic, sizeof address) != 0) return "";
    const auto packet = to_packet(Request{7, 10s, GetCapabilities{"fast"}});
    ::send(socket.get(), packet.data(), packet.size(), MSG_NOSIGNAL);
    std::string answer(longest_packet.count(), '\0');
    const auto size = ::recv(socket.get(), answer.data(), answer.size(), 0);
    answer.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return answer;
  }
};

TEST_F(TheServersSocket, AnswersRootAndTheUserOfTheSettings) {
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));

  for (const uid_t uid : {0U, 1000U}) {
    const auto answer = answer_from(answer_for(uid));
    ASSERT_THAT(answer, Succeeds()) << uid;
    EXPECT_THAT(answer->outcome, Succeeds()) << uid;
  }
  EXPECT_EQ(logged(), "");
}

TEST_F(TheServersSocket, LetsNobodyElseIn) {
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));

  EXPECT_EQ(answer_for(stranger), "");
}

TEST_F(TheServersSocket, TellsAStrangerThatItMayNotAskAndLogsThatOnce) {
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  std::filesystem::permissions(path, std::filesystem::perms(0666));

  for (int i = 0; i < 3; ++i) {
    const auto answer = answer_from(answer_for(stranger));
    ASSERT_THAT(answer, Succeeds());
    EXPECT_THAT(answer->outcome, FailsWith(ErrorCode::not_authorized, "uid 65534 may not ask"));
  }
  EXPECT_EQ(logged(), "warning: uid 65534 may not ask volgrow-backend and is refused\n");
}

TEST_F(TheServersSocket, IsNotTakenFromAProgramThatListens) {
  EXPECT_THAT(bind_listener(path, 1000), FailsWith(ErrorCode::busy, "is taken"));
}

TEST_F(TheServersSocket, IsReplacedAfterAProgramThatWasKilled) {
  server.reset();

  EXPECT_THAT(bind_listener(path, 1000), Succeeds());
}

TEST(APathOfASocket, ThatIsAFileOfSomebodyElseIsLeftAlone) {
  const TemporaryDirectory folder;
  resize_sparse(folder / "file", 1_MiB);

  EXPECT_THAT(bind_listener(folder / "file", 1000), FailsWith(ErrorCode::busy, "is taken"));
  EXPECT_TRUE(std::filesystem::exists(folder / "file"));
}

TEST(WhoMayAsk, IsRootAndTheUserOfTheSettings) {
  EXPECT_TRUE(may_ask(0, 1000));
  EXPECT_TRUE(may_ask(1000, 1000));
  EXPECT_FALSE(may_ask(1001, 1000));
  EXPECT_FALSE(may_ask(1000, std::nullopt));
}

TEST(AUser, IsFoundByNameAndByNumber) {
  EXPECT_EQ(uid_of("root"), 0U);
  EXPECT_EQ(uid_of("1234"), 1234U);
  EXPECT_EQ(uid_of("no-such-user-here"), std::nullopt);
}

}  // namespace
}  // namespace volgrow::backend
