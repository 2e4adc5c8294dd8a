// SPDX-License-Identifier: Apache-2.0
// The extend flow with everything real but the clock, the back ends and the network. It can end and
// begin again, as after kill -9: what was not committed is gone.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "control/extends.h"
#include "control/reports.h"
#include "tests/control/samples.h"
#include "tests/fakes/fake_back_ends.h"
#include "tests/fakes/fake_http_client.h"
#include "tests/fakes/fake_time_loop.h"

namespace volgrow::control {

class KeptNotifications final : public Notifications {
 public:
  void send(const Notice& notice) override { kept.emplace_back(notice.event_type); }

  std::vector<std::string> kept;
};

class Flow : public testing::Test {
 protected:
  Flow() {
    config.backends.backends = {
        {.name = "fast", .path = "/fast", .in_use_extend = true},
        {.name = "slow",
         .driver = backend::DriverKind::tgt,
         .path = "/slow",
         .in_use_extend = false},
        {.name = "told", .path = "/told", .completion = backend::Completion::deferred}};
    config.nova_endpoint = "http://nova/v2.1";
    config.host = "control1";
    config.receivers = {{"node1", "http://node1", "", ""}, {"node2", "http://node2", "", ""}};
    begin();
  }
  ~Flow() override { end(); }

  void begin() {
    commits = std::make_unique<Commits>(loop, loop.clock(), *store_.store);
    deliveries = std::make_unique<Deliveries>(
        Deliveries::Needs{loop, loop.clock(), *commits, client, config, *log});
    extends = std::make_unique<Extends>(Extends::Needs{loop, loop.clock(), *commits, back_ends,
                                                       *deliveries, notifications, config, *log});
  }
  void end() {
    extends.reset();
    deliveries.reset();
    commits.reset();
  }
  /// As after kill -9 and a start.
  void restart() {
    end();
    store_.reopen();
    begin();
    ASSERT_TRUE(deliveries->resume());
    ASSERT_TRUE(extends->resume());
  }

  Store& store() { return *store_.store; }
  Volume volume() { return store().volume("v1").value().value(); }
  Attachment attachment(const std::string& id) { return store().attachment(id).value().value(); }

  /// With its file on the back end, and one attachment for each of these hosts.
  void given_a_volume(const std::vector<std::string>& hosts, const std::string& back_end = "fast") {
    auto made = a_volume("v1", 1);
    made.backend = back_end;
    made.status = hosts.empty() ? VolumeStatus::available : VolumeStatus::in_use;
    back_ends.back_ends[back_end];
    back_ends.volumes["v1"] = {.size = bytes_of(1)};
    ASSERT_TRUE(store().add_type(a_type("t0")));
    ASSERT_TRUE(store().add_volume(made));
    for (const auto& host : hosts)
      ASSERT_TRUE(store().add_attachment(an_attachment("at-" + host, "v1", host)));
  }

  Outcome<void> extend(Gib size = 2) {
    return extends->accept({"alice", some_project, true, "req-7"}, volume(), size, true);
  }
  /// Turns the loop until nothing is under way: not on the back end, not to a receiver.
  void settle() {
    commits->flush();
    ASSERT_TRUE(loop.run_until([this] {
      return back_ends.unanswered() == back_ends.waiting() && client.waiting() == 0 &&
             !commits->pending() && !loop.ringing();
    }));
  }
  /// Until a call to the back end hangs.
  void settle_until_waiting() {
    commits->flush();
    ASSERT_TRUE(loop.run_until([this] { return back_ends.unanswered() == 1; }));
  }
  /// Until a receiver has been asked.
  void settle_until_sent() {
    commits->flush();
    ASSERT_TRUE(loop.run_until([this] { return client.waiting() == 1; }));
  }
  void pass(Duration time) {
    loop.advance(time);
    settle();
  }

  std::vector<std::string> messages() {
    std::vector<std::string> told;
    const auto kept = store().messages({}).value();
    for (const auto& message : kept)
      told.push_back(message.action_id + "_" + message.detail_id);
    return told;
  }
  Usage gigabytes() { return store().usage(some_project)->at("gigabytes"); }
  std::vector<std::string> urls() {
    std::vector<std::string> asked;
    for (const auto& request : client.requests())
      asked.push_back(request.url);
    return asked;
  }
  static http::Response took(const std::vector<std::string>& instances, int code = 200) {
    std::string events;
    for (const auto& instance : instances)
      events += (events.empty() ? "" : ",") + std::string(R"({"server_uuid":")") + instance +
                R"(","code":)" + std::to_string(code) + "}";
    return {code == 200 ? 200 : 207, {}, R"({"events":[)" + events + "]}"};
  }

  FakeTimeLoop loop;
  std::ostringstream lines;
  std::unique_ptr<Log> log = stream_log(lines, LogLevel::debug);
  Config config;
  FakeBackEnds back_ends{loop};
  FakeHttpClient client{loop};
  KeptNotifications notifications;
  std::unique_ptr<Commits> commits;
  std::unique_ptr<Deliveries> deliveries;
  std::unique_ptr<Extends> extends;

  StoreOnDisk store_;
};

}  // namespace volgrow::control
