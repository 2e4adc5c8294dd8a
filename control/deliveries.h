// SPDX-License-Identifier: Apache-2.0
// Events on their way to receivers: queued in the same transaction as the growth they tell of, sent
// until they are answered for good, and waited for until the hosts report.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "control/config.h"
#include "control/model.h"
#include "control/receivers.h"
#include "control/store.h"
#include "core/event_loop.h"
#include "http/client.h"
#include "service/log.h"

namespace volgrow::control {

using Commits = CommitsOf<Store>;

class Deliveries {
 public:
  struct Needs {
    EventLoop& loop;
    const Clock& clock;
    Commits& commits;
    http::Client& client;
    const Config& config;
    Log& log;
  };
  explicit Deliveries(Needs needs) : needs_(needs) {}

  /// Takes up what was not answered before the last end. Errors: Internal, from the database.
  Result<void> resume();

  /// In the transaction that the caller has open: an event for each of these attachments that
  /// belongs to an instance, one delivery for each receiver, hosts pending. They are sent once that
  /// is durable. Errors: Internal.
  Result<void> queue(Store& store, const Extend& extend,
                     const std::vector<Attachment>& attachments);
  /// Delivered neither for good nor given up.
  std::size_t depth() const { return queue_.size(); }

 private:
  struct Waiting {
    Delivery delivery;
    http::Client::Pending sending;  ///< while it is on its way
  };

  void send_due();
  void send(Waiting& waiting);
  void answered(std::int64_t id, const Result<http::Response>& response);
  Result<void> record(Store& store, const Delivery& delivery, const DeliveryAnswer& answer);
  Duration pause_after(const Delivery& delivery, const DeliveryAnswer& answer);
  Result<void> record_host(Store& store, const EventAnswer& event, bool again, bool behind_nova);
  Result<void> leave_message(Store& store, const Delivery& delivery);
  Result<void> queue_for(Store& store, Delivery delivery);
  void look_for_silence();
  Result<void> after_silence_of(Store& store, Attachment attachment);
  void arm();
  void arm_silence();
  std::string token_of(const Address& address);

  Needs needs_;
  std::map<std::int64_t, Waiting> queue_;
  EventLoop::Watch next_;
  EventLoop::Watch silence_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace volgrow::control
