// SPDX-License-Identifier: Apache-2.0
// Set-up and waiting for tests with a running daemon.
#include "tests/fakes/agent_host.h"

#include <fmt/format.h>

namespace volgrow {
namespace {

// Not a speed limit: how long a broken test may wait before it says what it waited for.
constexpr Duration patience = 60s;

}  // namespace

AnAgentHost::AnAgentHost(std::string config)
    : daemon({VOLGROW_BIN_DIR "/volgrowd", bus.address(), std::move(config), {}, {}}) {}

void AnAgentHost::SetUp() {
  ASSERT_TRUE(daemon.start()) << daemon.log();
  client = connect();
}

RealLoop& AnAgentHost::add_loop(Bytes size) {
  const auto file = files_ / fmt::format("file-{}", loops_.size());
  resize_sparse(file, size);
  auto loop = RealLoop::attach(file);
  if (!loop)
    throw std::runtime_error("no loop devices here; these tests need root and loop devices");
  loops_.push_back(std::move(loop));
  return *loops_.back();
}

std::string AnAgentHost::file_of(const RealLoop& loop) const {
  for (std::size_t i = 0; i < loops_.size(); ++i)
    if (loops_[i].get() == &loop) return files_ / fmt::format("file-{}", i);
  return {};
}

std::string AnAgentHost::connection_to(const std::string& device) {
  return fmt::format(R"({{"driver_volume_type":"local","data":{{"device_path":"{}"}}}})", device);
}

RealLoop& AnAgentHost::registered(const std::string& id, Bytes size) {
  auto& loop = add_loop(size);
  const auto done = client->register_volume(id, connection_to(node_of(loop)), {});
  EXPECT_TRUE(done) << done.error().message;
  return loop;
}

JobResult AnAgentHost::end_of(JobId job) {
  const auto end = client->wait(job, patience);
  if (!end || end->state == "running") {
    ADD_FAILURE() << "job " << job << " did not end: " << (end ? end->state : end.error().message);
    return {};
  }
  return parse_job_result(end->result_json).value_or(JobResult{});
}

JobResult AnAgentHost::end_of(const Result<JobId>& job) {
  if (job) return end_of(*job);
  ADD_FAILURE() << "no job: " << job.error().message;
  return {};
}

std::unique_ptr<bus::Client> AnAgentHost::connect() {
  auto connected = bus::Client::connect(bus.address());
  if (!connected) throw std::runtime_error(connected.error().message);
  return std::move(*connected);
}

std::vector<AnAgentHost::Event> AnAgentHost::events_until(
    const std::function<bool(const Event&)>& enough) {
  std::vector<Event> events;
  bool found = false;
  const auto followed = client->follow(
      [&](const Event& event) {
        events.push_back(event);
        found = enough(event);
        return !found;
      },
      within(patience, SystemClock().now()));
  EXPECT_TRUE(followed && found) << "the event did not come; " << events.size() << " others did";
  return events;
}

std::string AnAgentHost::as(const testing::Account& account,
                            const std::function<std::string(bus::Client&)>& work) {
  return testing::run_as(account, [&]() -> std::string {
    auto theirs = bus::Client::connect(bus.address());
    if (!theirs) return theirs.error().message;
    return work(**theirs);
  });
}

std::string AnAgentHost::outbox_as_relay() {
  return as(testing::the_relay(), [](bus::Client& relay) {
    std::string lines;
    const auto entries = relay.list_outbox(10000);
    if (!entries) return entries.error().message;
    for (const auto& [sequence, report] : *entries)
      lines += fmt::format("{} {}\n", sequence, report);
    return lines;
  });
}

}  // namespace volgrow
