// SPDX-License-Identifier: Apache-2.0
// The zygote by its own protocol, with real forks.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "agent/worker_protocol.h"
#include "tests/fakes/gate.h"

namespace volgrow::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// What a process has open, by where it leads: "0:/dev/null".
std::set<std::string> descriptors_of(const std::string& process) {
  std::set<std::string> found;
  const std::filesystem::path folder = "/proc/" + process + "/fd";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto leads_to = std::filesystem::read_symlink(entry).string();
    if (leads_to.ends_with("/fd")) continue;  // this directory, being read by itself
    found.insert(entry.path().filename().string() + ":" + leads_to.substr(0, leads_to.find(":[")));
  }
  return found;
}

std::string line_of(const std::string& file, const std::string& begins) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(begins)) return line;
  return {};
}

std::string log_of_this_process() {
  const auto log = std::filesystem::read_symlink("/proc/self/fd/2").string();
  return "2:" + log.substr(0, log.find(":["));
}

/// Follows a process by descriptor: the pid may be anybody's later.
class Process {
 public:
  explicit Process(pid_t pid) : fd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}
  void wait_for_its_end() const {
    pollfd waiting{fd_.get(), POLLIN, 0};
    ASSERT_EQ(::poll(&waiting, 1, -1), 1);
  }

 private:
  Fd fd_;
};

struct SpawnedWorker {
  pid_t pid;
  Fd socket;
};

class AZygote : public ::testing::Test {
 protected:
  void start(Performer performer) {
    zygote_ = std::make_unique<Zygote>(
        Zygote::start([performer = std::move(performer)] { return performer; }).value());
  }
  void ask(ZygoteRequest request, int descriptor = -1) {
    iovec bytes{&request, sizeof request};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> ancillary{};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    if (descriptor >= 0) {
      message.msg_control = ancillary.data();
      message.msg_controllen = ancillary.size();
      auto* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof(int));
      std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    }
    ASSERT_GT(::sendmsg(zygote_->socket().get(), &message, MSG_NOSIGNAL), 0);
  }
  ZygoteNotice notice() {
    ZygoteNotice heard;
    EXPECT_EQ(::recv(zygote_->socket().get(), &heard, sizeof heard, 0), ssize_t{sizeof heard});
    return heard;
  }
  SpawnedWorker spawn(WorkerId worker) {
    auto sockets = message_socket_pair().value();
    ask({ZygoteRequest::Verb::spawn, worker}, sockets.second.get());
    const auto spawned = notice();
    EXPECT_EQ(spawned.event, ZygoteNotice::Event::spawned);
    EXPECT_EQ(spawned.worker, worker);
    return {spawned.pid, std::move(sockets.first)};
  }
  /// The message of the error with which `worker` answers a step.
  std::string answer_of(const SpawnedWorker& worker) {
    EXPECT_TRUE(send_message(worker.socket.get(), encode(Step{7, ProbeStep{}, {}}), 0));
    Inbox inbox;
    EXPECT_EQ(inbox.receive(worker.socket.get(), 0), Inbox::State::message);
    const auto result = decode_step_result(inbox.bytes());
    return result && !result->answer ? result->answer.error().message : "no answer";
  }

  std::unique_ptr<Zygote> zygote_;
};

StepResult says(const Step& step, std::string text) {
  return {step.id, failure(ErrorCode::internal, std::move(text)), {}};
}

TEST_F(AZygote, HoldsOneSocketAndNothingOfTheDaemon) {
  const Fd of_the_daemon(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  start([](const Step& step) { return says(step, ""); });

  const auto worker = spawn(1);
  // It tells of a worker before it drops its copy of that worker's socket; once it answers the next
  // request, it has.
  ask({ZygoteRequest::Verb::spawn, 2});
  ASSERT_EQ(notice().event, ZygoteNotice::Event::not_spawned);

  EXPECT_THAT(
      descriptors_of(std::to_string(zygote_->pid())),
      ElementsAre("0:/dev/null", "1:/dev/null", log_of_this_process(), "3:socket", "4:anon_inode"));
  const auto status = "/proc/" + std::to_string(zygote_->pid()) + "/status";
  EXPECT_EQ(line_of(status, "Name:"), "Name:\tvolgrow-zygote");
}

TEST_F(AZygote, GivesItsWorkersOneSocketAndNothingElse) {
  const Fd of_the_daemon(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  start([](const Step& step) {
    std::string all = line_of("/proc/self/status", "Name:");
    for (const auto& descriptor : descriptors_of("self"))
      all += " " + descriptor;
    return says(step, all);
  });

  const auto answer = answer_of(spawn(1));

  EXPECT_EQ(answer,
            "Name:\tvolgrow-worker 0:/dev/null 1:/dev/null " + log_of_this_process() + " 3:socket");
}

TEST_F(AZygote, GivesItsWorkersNoBlockedSignalAndNoHandlerOfTheDaemon) {
  sigset_t usr1;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  sigset_t before;
  ::sigprocmask(SIG_BLOCK, &usr1, &before);
  const auto handler = std::signal(SIGUSR2, [](int) {});
  start([](const Step& step) {
    struct sigaction usr2_now {};
    ::sigaction(SIGUSR2, nullptr, &usr2_now);
    return says(step, line_of("/proc/self/status", "SigBlk:") +
                          (usr2_now.sa_handler == SIG_DFL ? " default" : " handled"));
  });

  const auto answer = answer_of(spawn(1));

  EXPECT_EQ(answer, "SigBlk:\t0000000000000000 default");
  sigset_t kept;
  ::sigprocmask(SIG_SETMASK, &before, &kept);
  EXPECT_TRUE(sigismember(&kept, SIGUSR1));  // the daemon's own mask is as it was
  std::signal(SIGUSR2, handler);
}

TEST_F(AZygote, MakesThePerformerInsideTheWorker) {
  zygote_ =
      std::make_unique<Zygote>(Zygote::start([] {
                                 const auto maker = std::to_string(::getpid());
                                 return [maker](const Step& step) { return says(step, maker); };
                               }).value());

  const auto worker = spawn(1);

  EXPECT_EQ(answer_of(worker), std::to_string(worker.pid));
}

TEST_F(AZygote, ReportsHowAWorkerEnded) {
  start([](const Step&) -> StepResult { ::_exit(9); });
  const auto worker = spawn(4);

  ASSERT_TRUE(send_message(worker.socket.get(), encode(Step{1, ProbeStep{}, {}}), 0));

  const auto ended = notice();
  EXPECT_EQ(ended.event, ZygoteNotice::Event::exited);
  EXPECT_EQ(ended.worker, 4U);
  EXPECT_TRUE(WIFEXITED(ended.status));
  EXPECT_EQ(WEXITSTATUS(ended.status), 9);
}

TEST_F(AZygote, ReportsEveryOneOfManyDeathsAtOnce) {
  start([](const Step& step) { return says(step, ""); });
  std::vector<SpawnedWorker> workers;
  for (WorkerId id = 1; id <= 8; ++id)
    workers.push_back(spawn(id));

  workers.clear();

  std::set<WorkerId> ended;
  for (int i = 0; i < 8; ++i)
    ended.insert(notice().worker);
  EXPECT_THAT(ended, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
}

TEST_F(AZygote, KillsTheWorkerItIsToldToAndNoOther) {
  Gate never;
  start([&never](const Step& step) {
    never.pass();
    return says(step, "");
  });
  const auto spared = spawn(1);
  const auto killed = spawn(2);
  ASSERT_TRUE(send_message(killed.socket.get(), encode(Step{1, ProbeStep{}, {}}), 0));

  ask({ZygoteRequest::Verb::kill, 99});  // unknown, or long gone: nobody
  ask({ZygoteRequest::Verb::kill, 2});

  const auto ended = notice();
  EXPECT_EQ(ended.worker, 2U);
  EXPECT_TRUE(WIFSIGNALED(ended.status));
  EXPECT_EQ(WTERMSIG(ended.status), SIGKILL);
  EXPECT_EQ(::kill(spared.pid, 0), 0);
}

TEST_F(AZygote, SpawnsNobodyWithoutASocket) {
  start([](const Step& step) { return says(step, ""); });

  ask({ZygoteRequest::Verb::spawn, 3});

  const auto refused = notice();
  EXPECT_EQ(refused.event, ZygoteNotice::Event::not_spawned);
  EXPECT_EQ(refused.worker, 3U);
  EXPECT_EQ(refused.status, EMFILE);
}

TEST_F(AZygote, OutlivesTheSignalsThatEndTheDaemon) {
  start([](const Step& step) { return says(step, "still here"); });
  const auto worker = spawn(1);

  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    ::kill(zygote_->pid(), signal);
    ::kill(worker.pid, signal);
  }

  EXPECT_EQ(answer_of(worker), "still here");
  EXPECT_EQ(answer_of(spawn(2)), "still here");
}

TEST_F(AZygote, EndsWithItsWorkersWhenItsOwnerGoes) {
  Gate begun;
  Gate never;
  start([&](const Step& step) {
    begun.open();
    never.pass();
    return says(step, "");
  });
  const auto idle = spawn(1);
  const auto busy = spawn(2);
  const Process idle_process(idle.pid);
  const Process busy_process(busy.pid);
  ASSERT_TRUE(send_message(busy.socket.get(), encode(Step{1, ProbeStep{}, {}}), 0));
  begun.pass();

  zygote_.reset();

  idle_process.wait_for_its_end();
  busy_process.wait_for_its_end();
  EXPECT_EQ(::waitpid(-1, nullptr, 0), -1);  // no child is left, not even unwaited for
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(AZygote, TakesItsWorkersWithItWhenItIsKilled) {
  start([](const Step& step) { return says(step, ""); });
  const auto worker = spawn(1);
  const Process process(worker.pid);
  ASSERT_EQ(answer_of(worker), "");

  ::kill(zygote_->pid(), SIGKILL);

  process.wait_for_its_end();
}

TEST_F(AZygote, EndsThoughSomebodyStoppedIt) {
  start([](const Step& step) { return says(step, ""); });
  ::kill(zygote_->pid(), SIGSTOP);

  zygote_.reset();

  EXPECT_EQ(::waitpid(-1, nullptr, 0), -1);
}

class AWorker : public AZygote {};

TEST_F(AWorker, AnswersStepAfterStep) {
  start([steps = 0](const Step& step) mutable { return says(step, std::to_string(++steps)); });
  const auto worker = spawn(1);

  EXPECT_EQ(answer_of(worker), "1");
  EXPECT_EQ(answer_of(worker), "2");
}

TEST_F(AWorker, EndsQuietlyWhenItsSocketIsClosed) {
  start([](const Step& step) { return says(step, ""); });
  auto worker = spawn(1);

  worker.socket = Fd();

  EXPECT_EQ(notice().status, 0);
}

TEST_F(AWorker, EndsWithAStatusOfItsOwnOnARequestThatIsNone) {
  start([](const Step& step) { return says(step, ""); });
  const auto worker = spawn(1);

  ASSERT_TRUE(send_message(worker.socket.get(), "rubbish", 0));

  EXPECT_EQ(WEXITSTATUS(notice().status), static_cast<int>(WorkerExit::bad_request));
}

TEST_F(AWorker, SaysSoWhenItsAnswerIsTooLong) {
  start([](const Step& step) { return says(step, std::string(message_limit, 'x')); });

  EXPECT_THAT(answer_of(spawn(1)), HasSubstr("more than a worker may answer"));
}

TEST_F(AWorker, DoesNotOutliveAnExceptionOfItsPerformer) {
  start([](const Step&) -> StepResult { throw 1; });
  const auto worker = spawn(1);

  ASSERT_TRUE(send_message(worker.socket.get(), encode(Step{1, ProbeStep{}, {}}), 0));

  EXPECT_EQ(WTERMSIG(notice().status), SIGABRT);
}

TEST(AMessage, ArrivesWholeUpToTheSizeOfAConnectionInfo) {
  const auto sockets = message_socket_pair().value();
  const std::string sent(std::size_t{300} << 10, 'x');

  ASSERT_TRUE(send_message(sockets.first.get(), sent, 0));

  Inbox inbox;
  ASSERT_EQ(inbox.receive(sockets.second.get(), 0), Inbox::State::message);
  EXPECT_EQ(inbox.bytes(), sent);
}

TEST(AMessage, IsNeverTakenForWholeWhenItIsTooLong) {
  const auto sockets = message_socket_pair().value();
  const int room = 4 << 20;
  ASSERT_EQ(::setsockopt(sockets.first.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room), 0);
  const auto sent = send_message(sockets.first.get(), std::string(message_limit + 1, 'x'), 0);
  if (!sent) GTEST_SKIP() << "this kernel sends no message that long";

  Inbox inbox;
  EXPECT_EQ(inbox.receive(sockets.second.get(), 0), Inbox::State::too_long);
  EXPECT_EQ(inbox.bytes(), "");
}

}  // namespace
}  // namespace volgrow::agent
