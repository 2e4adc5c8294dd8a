// SPDX-License-Identifier: Apache-2.0
// A host with the real daemon on a private bus and real loop devices: what bus/ and whole/ tests
// and their sentences start from.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/json.h"
#include "core/result.h"
#include "dbus/client.h"
#include "tests/fakes/private_bus.h"
#include "tests/fakes/real_loop.h"
#include "tests/fakes/running_daemon.h"

namespace volgrow {

using namespace std::chrono_literals;  // NOLINT(google-global-names-in-headers): test vocabulary

class AnAgentHost : public ::testing::Test {
 protected:
  using Event = bus::Client::Event;

  /// Without a `config` of its own nothing happens that nobody asked for.
  explicit AnAgentHost(std::string config = "[events]\nauto = \"never\"\n");

  void SetUp() override;
  /// A loop device over a new file of that size. Fails the test where there are none.
  RealLoop& add_loop(Bytes size);
  std::string file_of(const RealLoop& loop) const;
  static std::string node_of(const RealLoop& loop) { return "/dev/" + loop.name(); }
  void grow_file(const RealLoop& loop, Bytes size) { resize_sparse(file_of(loop), size); }
  static std::string connection_to(const std::string& device);

  /// Registers a new loop device as `id`.
  RealLoop& registered(const std::string& id, Bytes size);
  /// The job's end, waited for.
  JobResult end_of(JobId job);
  JobResult end_of(const Result<JobId>& job);
  std::unique_ptr<bus::Client> connect();
  /// Follows events until `enough`; fails the test when that takes too long.
  std::vector<Event> events_until(const std::function<bool(const Event&)>& enough);
  /// What the relay would read: "sequence report" a line.
  std::string outbox_as_relay();
  /// Runs `work` with a client of that account; its return value, or "ErrorName: message".
  std::string as(const testing::Account& account,
                 const std::function<std::string(bus::Client&)>& work);

  testing::PrivateBus bus;
  testing::RunningDaemon daemon;
  std::unique_ptr<bus::Client> client;

 private:
  TemporaryDirectory files_;
  std::vector<std::unique_ptr<RealLoop>> loops_;
};

}  // namespace volgrow
