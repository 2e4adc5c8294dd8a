// SPDX-License-Identifier: Apache-2.0
// SIGKILL at every system call that writes the journal or speaks on the bus: no accepted job is
// lost, no report comes twice, and the volume is right in the end. strace(1) does the killing, at
// the very call, so that each run tries a point of its own and none depends on luck.
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <filesystem>

#include "tests/fakes/agent_host.h"

namespace volgrow {
namespace {

std::vector<std::string> killing_at(const std::string& call, int count) {
  return {
      "strace", "-qq",           "-o", "/dev/null",
      "-e",     "trace=" + call, "-e", fmt::format("inject={}:signal=KILL:when={}", call, count)};
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

class AKilledDaemon : public AnAgentHost, public ::testing::WithParamInterface<const char*> {
 protected:
  /// Starts it to die at the `count`-th `call`, asks for growth, brings it back. False when it
  /// lived through all of it: there are no later points.
  bool survives(const std::string& call, int count, Bytes size);
  void grows_after_all(const Result<JobId>& answered, Bytes size);
  void start_afresh();
  void bring_back();
  static RequestOptions keyed(Bytes size);

  RealLoop* loop = nullptr;
};

RequestOptions AKilledDaemon::keyed(Bytes size) {
  RequestOptions options;
  options.idempotency_key = std::to_string(size.count());
  return options;
}

/// With nothing to remember but the volume: what is shown at a start would move the points away.
void AKilledDaemon::start_afresh() {
  daemon.stop();
  std::filesystem::remove_all(daemon.state_directory());
  ASSERT_TRUE(daemon.start()) << daemon.log();
  client = connect();
  ASSERT_TRUE(client->register_volume("vol-1", connection_to(node_of(*loop)), {}));
  daemon.stop();
}

void AKilledDaemon::bring_back() {
  daemon.kill();
  ASSERT_TRUE(daemon.start()) << daemon.log();
  client = connect();
}

void AKilledDaemon::grows_after_all(const Result<JobId>& answered, Bytes size) {
  const auto asked_again = client->volume_changed("vol-1", size, keyed(size));
  ASSERT_TRUE(asked_again) << asked_again.error().message;
  EXPECT_EQ(*asked_again, answered.value_or(*asked_again)) << "an accepted job was lost";
  const auto result = end_of(asked_again);
  EXPECT_TRUE(result.state == JobState::complete || result.state == JobState::unchanged);
  EXPECT_EQ(result.size, size);
  const auto reports = outbox_as_relay();
  EXPECT_EQ(occurrences(reports, fmt::format("\"job\":{},", *asked_again)), 1U) << reports;
}

bool AKilledDaemon::survives(const std::string& call, int count, Bytes size) {
  start_afresh();
  grow_file(*loop, size);
  Result<JobId> answered = failure(ErrorCode::unreachable, "never started");
  bool lived = daemon.start_under(killing_at(call, count));
  if (lived) {
    client = connect();
    answered = client->volume_changed("vol-1", size, keyed(size));
    if (answered) lived = client->wait(*answered, 60s).has_value();
    lived = lived && answered && client->daemon_version();
  }
  bring_back();
  grows_after_all(answered, size);
  return lived;
}

TEST_P(AKilledDaemon, LosesNoJobAndDoublesNoReport) {
  loop = &registered("vol-1", 64_MiB);
  int point = 1;
  for (auto size = 65_MiB; !survives(GetParam(), point, size); size = size + 1_MiB) {
    ASSERT_LT(++point, 200) << "it never lived";
    ASSERT_FALSE(HasFailure()) << "killed at " << GetParam() << " number " << point - 1;
  }
  EXPECT_GT(point, 2) << "hardly a point was tried";
  RecordProperty("points", point - 1);
  fmt::print("killed at {} points of {}\n", point - 1, GetParam());
}

INSTANTIATE_TEST_SUITE_P(At, AKilledDaemon, ::testing::Values("fdatasync", "pwrite64", "sendmsg"));

}  // namespace
}  // namespace volgrow
