// SPDX-License-Identifier: Apache-2.0
// Volumes from the row in the database to the storage, and back: what is stored as `creating` is
// placed and made, what is stored as `deleting` is removed. A restart goes on where it stood.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "backend/client.h"
#include "control/config.h"
#include "control/exports.h"
#include "control/pools.h"
#include "control/store.h"
#include "control/user_messages.h"
#include "core/event_loop.h"
#include "service/commits.h"
#include "service/log.h"

namespace volgrow::control {

class Provisioning {
 public:
  struct Needs {
    EventLoop& loop;
    const Clock& clock;
    CommitsOf<Store>& commits;
    backend::Client& backends;
    Pools& pools;
    const Config& config;
    Log& log;
  };
  explicit Provisioning(Needs needs)
      : needs_(needs),
        exports_({needs.clock, needs.commits, needs.backends, needs.config, needs.log}) {}

  /// Takes up everything that is `creating` or `deleting`. Errors: Internal, from the database.
  Result<void> resume();

  /// `volume` was stored as `creating` by the transaction that is open: it becomes available, or
  /// error with a user message.
  void create(const Volume& volume, const std::string& request_id);
  /// `volume` was stored as `deleting` by the transaction that is open: its row is gone when its
  /// storage is, or it becomes error_deleting.
  void remove(const Volume& volume);

  std::size_t under_way() const { return work_.size(); }

 private:
  struct Work {
    Volume volume;
    std::string request_id;
    Deadline deadline;
    EventLoop::Watch retry{};
  };
  using Id = std::uint64_t;
  using Step = void (Provisioning::*)(Id);

  Id begin(Volume volume, std::string request_id);
  void when_durable(Id id, Step step);
  void place(Id id);
  Result<bool> choose_for(Volume& volume);
  void make(Id id);
  void made(Id id, const Result<backend::Measured>& made);
  void unexport(Id id);
  void unmake(Id id);
  void unmade(Id id, const Result<backend::Removed>& removed);
  bool again(Id id, const Error& error, Step step);
  void end_create(Id id, VolumeStatus status, std::optional<std::pair<Action, Detail>> told);
  Result<void> store_created(Store& store, const Work& work, VolumeStatus status,
                             std::optional<std::pair<Action, Detail>> told);
  void end_remove(Id id, std::optional<VolumeStatus> status);
  void finish(Id id, const std::function<Result<void>(Store&)>& change);

  Needs needs_;
  Exports exports_;
  std::map<Id, Work> work_;
  Id last_ = 0;
};

}  // namespace volgrow::control
