// SPDX-License-Identifier: Apache-2.0
// volgrowd as the CLI sees it, in memory: a test says what it answers and reads what it was asked.
// Every client made from one FakeDaemon talks to that one.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "dbus/client.h"

namespace volgrow::cli {

struct FakeDaemon {
  using Event = bus::Client::Event;

  // What it answers.
  std::optional<Error> unreachable;            ///< nobody can connect
  std::optional<Error> refuses;                ///< every method fails with this
  std::map<std::string, Error> refuses_calls;  ///< these alone: "volumes", "rescan id:vol-2"
  std::vector<JobId> new_jobs{17};             ///< what extend (the first) and rescan (all) start
  std::map<JobId, bus::JobEnd> ends;           ///< by job; one that is not here runs for ever
  std::string answer;                          ///< to plan and explain
  std::vector<VolumeView> volumes;
  std::vector<JobView> jobs;
  std::string version = "0.0.0";
  std::vector<Event> events;             ///< what follow() delivers
  std::map<std::string, JobId> jobs_of;  ///< what rescan of one of these targets starts instead

  // What it was asked.
  std::vector<std::string> calls;  ///< in order: "subscribe", "extend /dev/sda" …
  std::optional<Bytes> expected;
  std::optional<RequestOptions> options;
  std::string connection_info;
  std::string address;

  void ends_with(JobResult result) {
    const auto id = result.job;
    ends[id] = {std::string(name_of(result.state)), to_json(result)};
  }
};

class FakeClient final : public bus::Client {
 public:
  explicit FakeClient(FakeDaemon& daemon) : daemon_(daemon) {}

  Result<JobId> volume_changed(const std::string& id, Bytes, const RequestOptions&) override {
    return answer("volume-changed " + id, daemon_.new_jobs.front());
  }
  Result<JobId> extend(const std::string& subject, Bytes expected,
                       const RequestOptions& options) override {
    daemon_.expected = expected;
    daemon_.options = options;
    return answer("extend " + subject, daemon_.new_jobs.front());
  }
  Result<std::string> plan(const std::string& subject, Bytes expected,
                           const RequestOptions& options) override {
    daemon_.expected = expected;
    daemon_.options = options;
    return answer("plan " + subject, daemon_.answer);
  }
  Result<std::string> explain(const std::string& subject, const RequestOptions& options) override {
    daemon_.options = options;
    return answer("explain " + subject, daemon_.answer);
  }
  Result<std::vector<JobId>> rescan(const std::vector<std::string>& targets,
                                    const RequestOptions& options) override {
    daemon_.options = options;
    std::string call = "rescan";
    for (const auto& target : targets)
      call += " " + target;
    if (targets.size() == 1 && daemon_.jobs_of.contains(targets.front()))
      return answer(call, std::vector{daemon_.jobs_of.at(targets.front())});
    return answer(call, daemon_.new_jobs);
  }
  Result<std::string> register_volume(const std::string& id, const std::string& connection_info,
                                      const RequestOptions&) override {
    daemon_.connection_info = connection_info;
    return answer("register " + id, id);
  }
  Result<void> unregister_volume(const std::string& id) override {
    return done("unregister " + id);
  }

  Result<bus::JobEnd> wait(JobId job, Duration) override {
    const auto end = daemon_.ends.find(job);
    const auto running = bus::JobEnd{"running", ""};
    return answer("wait " + std::to_string(job), end == daemon_.ends.end() ? running : end->second);
  }
  Result<void> cancel(JobId job) override { return done("cancel " + std::to_string(job)); }
  Result<std::vector<bus::OutboxEntry>> list_outbox(std::uint32_t) override {
    return answer("outbox", std::vector<bus::OutboxEntry>());
  }
  Result<void> acknowledge(const std::vector<std::uint64_t>&) override {
    return done("acknowledge");
  }

  Result<std::vector<VolumeView>> volumes() override { return answer("volumes", daemon_.volumes); }
  Result<std::vector<JobView>> jobs() override { return answer("jobs", daemon_.jobs); }
  Result<VolumeView> volume(const std::string& id) override {
    const auto found = std::ranges::find(daemon_.volumes, id, &VolumeView::id);
    if (found != daemon_.volumes.end()) return answer("volume " + id, *found);
    return failure(ErrorCode::no_such_volume, "no volume " + id + " is registered");
  }
  Result<JobView> job(JobId id) override {
    const auto found = std::ranges::find(daemon_.jobs, id, &JobView::id);
    if (found != daemon_.jobs.end()) return answer("job " + std::to_string(id), *found);
    return failure(ErrorCode::internal, "no job " + std::to_string(id));
  }
  Result<std::string> daemon_version() override { return answer("version", daemon_.version); }

  Result<void> subscribe() override { return done("subscribe"); }
  Result<void> follow(std::function<bool(const Event&)> on_event,
                      std::optional<Deadline>) override {
    auto followed = done("follow");
    for (const auto& event : daemon_.events)
      if (!on_event(event)) break;
    return followed;
  }

 private:
  template <class T>
  Result<T> answer(std::string call, T value) {
    const auto refused = daemon_.refuses_calls.find(call);
    daemon_.calls.push_back(std::move(call));
    if (refused != daemon_.refuses_calls.end()) return std::unexpected(refused->second);
    if (daemon_.refuses) return std::unexpected(*daemon_.refuses);
    return value;
  }
  Result<void> done(std::string call) {
    daemon_.calls.push_back(std::move(call));
    if (daemon_.refuses) return std::unexpected(*daemon_.refuses);
    return {};
  }

  FakeDaemon& daemon_;
};

}  // namespace volgrow::cli
