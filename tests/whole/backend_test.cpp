// SPDX-License-Identifier: Apache-2.0
// volgrow-backend as a process: handed its socket, killed at every system call that changes
// something, asked again, and right in the end. strace(1) does the killing, at the very call.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "backend/protocol.h"
#include "connectors/iscsi_probe.h"
#include "core/files.h"
#include "core/json.h"
#include "tests/connectors/results.h"
#include "tests/fakes/agent_host.h"
#include "tests/fakes/iscsi_target.h"
#include "tests/fakes/ran_program.h"
#include "tests/fakes/running_backend.h"

namespace volgrow::backend {
namespace {

using namespace std::chrono_literals;
using ::testing::Combine;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::RunningBackend;
using ::testing::Values;

constexpr auto limit = 20s;
const VolumeName volume{"b", "7f3c1e9a-0000-4000-8000-000000000001"};
const Attachment attachment{"compute-1", "iqn.2026-01.org.volgrow:host-1"};
const std::string program = VOLGROW_BIN_DIR "/volgrow-backend";

template <class C>
Result<typename C::Answer> answer_to(const RunningBackend& backend, const C& call) {
  const auto packet = backend.ask(to_packet(Request{1, limit, call}));
  if (!packet) return failure(ErrorCode::unreachable, "it died");
  const auto answer = answer_from(*packet);
  if (!answer) return std::unexpected(answer.error());
  if (!answer->outcome) return std::unexpected(answer->outcome.error());
  return std::get<typename C::Answer>(*answer->outcome);
}

Result<std::string> text_in(const Connection& connection, std::string_view key) {
  const auto* value = connection.info.find("data")->find(key);
  if (value != nullptr && value->text() != nullptr) return *value->text();
  return failure(ErrorCode::bad_connection_info, std::string(key));
}

// ---- the settings of a back end, and how its volume looks from a host ----

class ABackEnd {
 public:
  virtual ~ABackEnd() = default;
  virtual std::string why_unusable() { return ""; }
  virtual std::string settings(const std::string& path) const = 0;
  virtual bool grows_in_use() const = 0;
  virtual Result<Bytes> size_seen(const Connection& connection) const = 0;
};

class AFileBackEnd final : public ABackEnd {
 public:
  std::string settings(const std::string& path) const override {
    return fmt::format("[[backend]]\nname = \"b\"\ndriver = \"file\"\npath = \"{}\"\n", path);
  }
  bool grows_in_use() const override { return true; }
  Result<Bytes> size_seen(const Connection& connection) const override {
    const Fd device(::open(text_in(connection, "device_path")->c_str(), O_RDONLY | O_CLOEXEC));
    std::uint64_t size = 0;
    if (::ioctl(device.get(), BLKGETSIZE64, &size) != 0) return system_failure(errno, "size");
    return Bytes(size);
  }
};

class ATgtBackEnd final : public ABackEnd {
 public:
  std::string why_unusable() override { return target_.start(); }
  std::string settings(const std::string& path) const override {
    return fmt::format(
        "[[backend]]\nname = \"b\"\ndriver = \"tgt\"\npath = \"{}\"\n"
        "portal = \"{}\"\ncontrol_socket = \"{}\"\n",
        path, target_.portal(), target_.control_socket());
  }
  bool grows_in_use() const override { return false; }
  Result<Bytes> size_seen(const Connection& connection) const override {
    const SystemClock clock;
    const auto url =
        parse_iscsi_url(fmt::format("iscsi://{}/{}/1", *text_in(connection, "target_portal"),
                                    *text_in(connection, "target_iqn")));
    const auto answer =
        probe_iscsi({*url, *attachment.initiator, nullptr}, within(limit, clock.now()), clock);
    if (!answer) return std::unexpected(answer.error());
    return answer->size;
  }

 private:
  testing::IscsiTarget target_;
};

std::unique_ptr<ABackEnd> back_end_of(const std::string& driver) {
  if (driver == "tgt") return std::make_unique<ATgtBackEnd>();
  return std::make_unique<AFileBackEnd>();
}

// ---- kills ----

std::vector<std::string> killing_at(const std::string& call, int count) {
  return {"strace", "-f",
          "-D",     "-qq",
          "-o",     "/dev/null",
          "-e",     "trace=" + call,
          "-e",     fmt::format("inject={}:signal=KILL:when={}", call, count)};
}

/// (driver, system call)
using Point = std::tuple<const char*, const char*>;

/// A volume's whole life, in which one verb is asked of a helper that dies on the way.
class AKilledBackendOnRealLoops : public ::testing::TestWithParam<Point> {
 protected:
  void SetUp() override {
    backend = back_end_of(std::get<0>(GetParam()));
    if (const auto unusable = backend->why_unusable(); !unusable.empty()) GTEST_SKIP() << unusable;
    running = std::make_unique<RunningBackend>(backend->settings(folder.path()));
  }
  /// Dies at the `count`-th `call` of the `verb`-th verb. Whether it did: there are no later points
  /// when it did not.
  bool dies(int verb, const std::string& call, int count);
  /// The answer in the end: of the one that dies, or of the next one, asked again.
  template <class C>
  Result<typename C::Answer> ask(const C& asked);
  void live();
  void TearDown() override {
    if (HasFailure()) answer_to(*running, Unexport{volume, attachment});
  }
  void restart(std::vector<std::string> under) {
    running->kill();
    running->start(std::move(under));
  }

  TemporaryDirectory folder;
  std::unique_ptr<ABackEnd> backend;
  std::unique_ptr<RunningBackend> running;
  int verb = 0;    ///< which is asked next
  int victim = 0;  ///< which is asked of one that dies
  std::vector<std::string> killing;
  bool died = false;
};

template <class C>
Result<typename C::Answer> AKilledBackendOnRealLoops::ask(const C& asked) {
  if (verb++ != victim) return answer_to(*running, asked);
  restart(killing);
  const auto answer = answer_to(*running, asked);
  died = !answer && answer.error().code == ErrorCode::unreachable;
  restart({});
  return died ? answer_to(*running, asked) : answer;
}

void AKilledBackendOnRealLoops::live() {
  verb = 0;
  EXPECT_EQ(ask(Create{volume, 64_MiB}), Measured{64_MiB});
  EXPECT_EQ(ask(Extend{volume, 65_MiB}), Measured{65_MiB});
  const auto connection = ask(Export{volume, attachment});
  ASSERT_THAT(connection, Succeeds());
  EXPECT_EQ(backend->size_seen(*connection), 65_MiB);
  if (backend->grows_in_use()) {
    EXPECT_EQ(ask(Extend{volume, 66_MiB}), Measured{66_MiB});
  }
  EXPECT_THAT(ask(Remove{volume}), FailsWith(ErrorCode::busy, volume.id));
  EXPECT_EQ(ask(Export{volume, attachment}), connection);
  EXPECT_THAT(ask(Unexport{volume, attachment}), Succeeds());
  EXPECT_EQ(ask(Remove{volume}), Removed{});
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

bool AKilledBackendOnRealLoops::dies(int which, const std::string& call, int count) {
  victim = which;
  killing = killing_at(call, count);
  died = false;
  live();
  return died;
}

TEST_P(AKilledBackendOnRealLoops, LeavesNothingThatARepeatDoesNotMend) {
  const std::string call = std::get<1>(GetParam());
  restart({});
  victim = -1;
  live();
  const int verbs = verb;
  int points = 0;
  for (int which = 0; which < verbs; ++which)
    for (int count = 1; dies(which, call, count); ++count) {
      ++points;
      ASSERT_LT(count, 100) << "it never lived";
      ASSERT_FALSE(HasFailure()) << "killed at " << call << " " << count << " of verb " << which;
    }
  EXPECT_GT(points, 0) << "no point was tried";
  fmt::print("killed at {} points of {}\n", points, call);
}

INSTANTIATE_TEST_SUITE_P(OfFiles, AKilledBackendOnRealLoops,
                         Combine(Values("file"), Values("openat2", "flock", "ftruncate", "fsync",
                                                        "linkat", "ioctl", "unlinkat", "sendto")));
INSTANTIATE_TEST_SUITE_P(OfTgt, AKilledBackendOnRealLoops,
                         Combine(Values("tgt"),
                                 Values("connect", "recvfrom", "sendto", "unlinkat")));

// ---- what it may, and whom it serves ----

class ABackendOnRealLoops : public ::testing::Test {
 protected:
  void TearDown() override {
    if (HasFailure()) answer_to(running, Unexport{volume, attachment});
  }
  void live_under(std::vector<std::string> under) {
    running.start(std::move(under));
    EXPECT_EQ(answer_to(running, Create{volume, 64_MiB}), Measured{64_MiB}) << running.log();
    const auto connection = answer_to(running, Export{volume, attachment});
    ASSERT_THAT(connection, Succeeds());
    EXPECT_EQ(backend.size_seen(*connection), 64_MiB);
    EXPECT_EQ(answer_to(running, Extend{volume, 65_MiB}), Measured{65_MiB});
    EXPECT_EQ(answer_to(running, Unexport{volume, attachment}), Unexported{});
    EXPECT_EQ(answer_to(running, Remove{volume}), Removed{});
  }

  TemporaryDirectory folder;
  AFileBackEnd backend;
  RunningBackend running{backend.settings(folder.path())};
};

TEST_F(ABackendOnRealLoops, NeedsNoCapability) {
  live_under({"setpriv", "--bounding-set=-all", "--inh-caps=-all"});
}

TEST_F(ABackendOnRealLoops, StartsNoProgramAndHasNoNetwork) {
  const auto trace = folder / "trace";
  live_under({"strace", "-f", "-D", "-qq", "-e", "trace=execve,execveat,socket", "-o", trace});
  running.stop();

  const auto traced = read_text_file(trace, 16_MiB);
  ASSERT_THAT(traced, Succeeds());
  std::istringstream lines(*traced);
  int programs = 0;
  for (std::string line; std::getline(lines, line);) {
    programs += line.contains("execve") ? 1 : 0;
    EXPECT_TRUE(!line.contains("socket(") || line.contains("AF_UNIX")) << line;
  }
  EXPECT_EQ(programs, 1) << *traced;  // itself
}

/// The host's own half: what the back end exported and grew, the agent makes the kernel show.
class AnAgentBesideABackEndOnRealLoops : public AnAgentHost {
 protected:
  void TearDown() override {
    if (HasFailure()) answer_to(running, Unexport{volume, attachment});
  }

  TemporaryDirectory folder;
  AFileBackEnd backend;
  RunningBackend running{backend.settings(folder.path())};
};

TEST_F(AnAgentBesideABackEndOnRealLoops, GrowsWhatItExported) {
  running.start();
  ASSERT_THAT(answer_to(running, Create{volume, 64_MiB}), Succeeds()) << running.log();
  const auto connection = answer_to(running, Export{volume, attachment});
  ASSERT_THAT(connection, Succeeds());
  ASSERT_TRUE(client->register_volume(volume.id, to_json(connection->info), {}));
  ASSERT_EQ(answer_to(running, Extend{volume, 96_MiB}), Measured{96_MiB});

  const auto result = end_of(client->volume_changed(volume.id, 96_MiB, {}));

  EXPECT_EQ(result.state, JobState::complete);
  EXPECT_EQ(result.volume, 96_MiB);
  EXPECT_EQ(backend.size_seen(*connection), 96_MiB);
  EXPECT_EQ(answer_to(running, Unexport{volume, attachment}), Unexported{});
  EXPECT_EQ(answer_to(running, Remove{volume}), Removed{});
}

// ---- the program ----

TEST(TheBackendProgram, EndsWithoutAMistakeWhenItIsToldTo) {
  const TemporaryDirectory folder;
  RunningBackend running(AFileBackEnd().settings(folder.path()));
  running.start();
  ASSERT_THAT(answer_to(running, GetCapabilities{"b"}), Succeeds()) << running.log();

  EXPECT_EQ(running.stop(), 0);
  EXPECT_THAT(running.log(), HasSubstr("serves 1 back ends"));
}

TEST(TheBackendProgram, ChecksItsSettingsAndEnds) {
  const TemporaryDirectory folder;
  std::ofstream(folder / "control.toml") << AFileBackEnd().settings(folder / "missing");
  const auto check =
      testing::run_program({program, "--check-config", "--config", folder / "control.toml"});

  EXPECT_EQ(check.status, 0) << check.err;
  EXPECT_THAT(check.out, HasSubstr("control.toml: ok"));
}

TEST(TheBackendProgram, NamesTheLineOfAMistakeInItsSettings) {
  const TemporaryDirectory folder;
  std::ofstream(folder / "control.toml") << "[backend_helper]\nusr = \"x\"\n";

  const auto ran = testing::run_program({program, "--config", folder / "control.toml"});

  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("control.toml:2: unknown key 'backend_helper.usr'; did you mean"));
}

TEST(TheBackendProgram, SaysWhatIsWrongWithItsCommandLine) {
  for (const auto* word : {"--sokcet", "stray"}) {
    const auto ran = testing::run_program({program, word});

    EXPECT_EQ(ran.status, 2) << word;
    EXPECT_THAT(ran.err, HasSubstr(word));
  }
  EXPECT_EQ(testing::run_program({program, "--version"}).status, 0);
  EXPECT_THAT(testing::run_program({program, "--help"}).out, HasSubstr("--socket PATH"));
}

}  // namespace
}  // namespace volgrow::backend
