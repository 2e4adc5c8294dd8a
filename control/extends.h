// SPDX-License-Identifier: Apache-2.0
// Extends from their acceptance to their end: what is accepted is in the database first, the back
// end is asked then, and every step of the state machine is one transaction. A restart goes on
// where the database says.
#pragma once

#include <cstdint>
#include <map>

#include "backend/client.h"
#include "control/caller.h"
#include "control/config.h"
#include "control/deliveries.h"
#include "control/extend_rules.h"
#include "control/notifications.h"
#include "core/event_loop.h"
#include "service/log.h"

namespace volgrow::control {

class Extends {
 public:
  struct Needs {
    EventLoop& loop;
    const Clock& clock;
    Commits& commits;
    backend::Client& backends;
    Deliveries& deliveries;
    Notifications& notifications;
    const Config& config;
    Log& log;
  };
  explicit Extends(Needs needs) : needs_(needs) {}

  /// Takes up every open extend: the back end is asked how big the volume is, and then it is
  /// finished, or asked again to grow. Errors: Internal, from the database.
  Result<void> resume();

  /// os-extend, after its schema, existence and policy were checked: reserved and extending, and
  /// the back end is asked once that is durable. Faults: 400, 413.
  Outcome<void> accept(const Caller& caller, const Volume& volume, Gib new_size,
                       bool in_use_allowed);
  /// os-extend_volume_completion: ends what a back end with completion = "deferred" began. Faults:
  /// 400.
  Outcome<void> complete(const Volume& volume, bool error);

  std::size_t under_way() const { return under_way_.size(); }

 private:
  /// An extend that the back end works on, or soon will again.
  struct UnderWay {
    Extend extend;
    std::string backend;
    Deadline deadline;
    std::uint32_t attempts = 0;
    EventLoop::Watch retry;
    std::optional<ExtendEvent> end;  ///< once it is known
  };
  using Next = void (Extends::*)(std::int64_t);

  Result<ExtendRequest> request_for(const Volume& volume, Gib new_size, bool in_use_allowed);
  Result<Extend> reserve(const Caller& caller, Volume volume, Gib new_size);
  const backend::BackEnd* back_end_of(const std::string& name) const;
  void begin(const Extend& extend, const Volume& volume);
  bool scheduler_refuses(const UnderWay& under_way) const;
  void grow(std::int64_t id);
  void grown(std::int64_t id, const Result<backend::Measured>& measured);
  void ask_size(std::int64_t id);
  void size_known(std::int64_t id, const Result<backend::Measured>& measured);
  void ask_whether_grown(std::int64_t id);
  void later(std::int64_t id, Next next);
  ExtendEvent success_of(const UnderWay& under_way) const;
  void finish(std::int64_t id, ExtendEvent event);
  void finish_again(std::int64_t id);
  void forget(std::int64_t id);
  void not_stored(std::int64_t id, const Error& error);
  Result<void> apply(Store& store, const Extend& extend, ExtendEvent event);
  Result<void> store_end(Store& store, const Extend& extend, const Transition& transition);

  Needs needs_;
  std::map<std::int64_t, UnderWay> under_way_;
  std::size_t most_under_way_ = 0;  ///< since memory was last given back
};

}  // namespace volgrow::control
