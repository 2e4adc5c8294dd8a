// SPDX-License-Identifier: Apache-2.0
// The daemon as a family of processes: what it starts, what it leaves behind, what ends it.
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "tests/fakes/agent_host.h"

namespace volgrow {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> all;
  std::ifstream in(fmt::format("/proc/{}/task/{}/children", parent, parent));
  for (pid_t child = 0; in >> child;)
    all.push_back(child);
  return all;
}

std::string command_of(pid_t pid) {
  std::string name;
  std::getline(std::ifstream(fmt::format("/proc/{}/comm", pid)), name);
  return name;
}

bool exists(pid_t pid) {
  return std::filesystem::exists(fmt::format("/proc/{}", pid));
}

class TheDaemon : public AnAgentHost {
 protected:
  pid_t zygote() const {
    const auto children = children_of(daemon.pid());
    return children.empty() ? -1 : children.front();
  }
};

TEST_F(TheDaemon, StartsNoProgramWhileItWorks) {
  const auto trace = daemon.folder() + "/trace";
  daemon.stop();
  ASSERT_TRUE(
      daemon.start_under({"strace", "-f", "-qq", "-e", "trace=execve,execveat", "-o", trace}))
      << daemon.log();
  client = connect();
  auto& loop = registered("vol-1", 64_MiB);
  grow_file(loop, 128_MiB);
  EXPECT_EQ(end_of(client->volume_changed("vol-1", 128_MiB, {})).state, JobState::complete);
  daemon.stop();

  const auto traced = read_text_file(trace, 16_MiB);

  ASSERT_TRUE(traced);
  std::size_t calls = 0;
  for (auto at = traced->find("execve"); at != std::string::npos;
       at = traced->find("execve", at + 1))
    ++calls;
  EXPECT_EQ(calls, 1U) << *traced;  // the daemon itself
}

TEST_F(TheDaemon, LeavesNoProcessBehindWhenItIsStopped) {
  registered("vol-1", 64_MiB);
  const auto forked = zygote();
  const auto workers = children_of(forked);
  ASSERT_GT(forked, 0);
  EXPECT_EQ(command_of(forked), "volgrow-zygote");
  EXPECT_THAT(workers, ::testing::Not(IsEmpty()));

  EXPECT_EQ(daemon.stop(), 0);

  EXPECT_FALSE(exists(forked));
}

TEST_F(TheDaemon, EndsForARestartWhenItsZygoteIsGone) {
  ::kill(zygote(), SIGKILL);

  const auto status = daemon.wait();

  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_NE(WEXITSTATUS(status), 0);
  EXPECT_THAT(daemon.log(), HasSubstr("zygote"));
}

TEST_F(TheDaemon, GoesOnWhenAWorkerIsKilled) {
  auto& loop = registered("vol-1", 64_MiB);
  for (const auto worker : children_of(zygote()))
    ::kill(worker, SIGKILL);
  grow_file(loop, 128_MiB);

  // The dead worker may have been given the first step before its end was known: that job fails and
  // says so; the next one has a new worker.
  auto result = end_of(client->volume_changed("vol-1", 128_MiB, {}));
  if (result.state == JobState::failed)
    result = end_of(client->volume_changed("vol-1", 128_MiB, {}));

  EXPECT_EQ(result.state, JobState::complete);
}

TEST_F(TheDaemon, RefusesASecondOneOnTheSameBus) {
  testing::RunningDaemon second({VOLGROW_BIN_DIR "/volgrowd", bus.address(), "", {}, {}});

  EXPECT_FALSE(second.start());
  EXPECT_THAT(second.log(), HasSubstr("org.volgrow.Agent1"));
}

TEST_F(TheDaemon, EndsWhenItsBusDoesAndSaysSo) {
  bus.stop();

  const auto status = daemon.wait();

  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_NE(WEXITSTATUS(status), 0);
  EXPECT_THAT(daemon.log(), HasSubstr("the bus hung up"));
}

class ADaemonWithAWrongSetting : public ::testing::Test {
 protected:
  testing::PrivateBus bus;
};

TEST_F(ADaemonWithAWrongSetting, SaysWhichLineAndDoesNotStart) {
  testing::RunningDaemon daemon(
      {VOLGROW_BIN_DIR "/volgrowd", bus.address(), "[jobs]\nmost_jbos = 3\n", {}, {}});

  EXPECT_FALSE(daemon.start());

  EXPECT_THAT(daemon.log(), HasSubstr("agent.toml:2"));
  EXPECT_THAT(daemon.log(), HasSubstr("most_jbos"));
}

}  // namespace
}  // namespace volgrow
