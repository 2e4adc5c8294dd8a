// SPDX-License-Identifier: Apache-2.0
// What each back end says it has and can do, asked again and again; and which of them takes a new
// volume, as Cinder's scheduler would choose.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "backend/client.h"
#include "control/config.h"
#include "control/model.h"
#include "core/clock.h"
#include "core/event_loop.h"
#include "core/value.h"
#include "service/log.h"

namespace volgrow::control {

/// A back end's last answer.
struct Pool {
  std::string backend;
  backend::Capabilities capabilities;
  WallTime asked_at{};
};

class Pools {
 public:
  struct Needs {
    EventLoop& loop;
    const Clock& clock;
    backend::Client& backends;
    const Config& config;
    Log& log;
  };
  explicit Pools(Needs needs) : needs_(needs) {}

  /// Asks every back end now, and from then on once a minute (Cinder's
  /// backend_stats_polling_interval).
  void start();
  /// Asks all of them again, unless they have just been asked; `then` runs when each has answered
  /// or has failed to: inside this call or later.
  void when_fresh(std::move_only_function<void()> then);

  /// Those that answered the last time they were asked, in the order of the configuration.
  std::vector<Pool> known() const;
  std::optional<Pool> find(const std::string& backend) const;

  /// Which back end a volume of this type goes to: of those that have what its extra specs ask for
  /// and the room, the one with most room; the first of the configuration where another has hardly
  /// more.
  std::optional<std::string> choose(const std::map<std::string, std::string>& extra_specs,
                                    Gib size) const;

 private:
  struct Round;

  void ask(std::move_only_function<void()> then);
  void took(const std::string& backend, Result<backend::Capabilities> answer);

  Needs needs_;
  std::map<std::string, Pool> pools_;
  std::map<std::string, std::string> silent_;  ///< back end → why; each reason is logged once
  std::optional<TimePoint> asked_;
  EventLoop::Watch next_;
};

/// What Cinder's clients see of a pool (get_pools --detail), and what extra specs are compared
/// with.
Value capabilities_of(const Pool& pool);

/// Whether it has all that these extra specs ask for.
bool offers(const Pool& pool, const std::map<std::string, std::string>& extra_specs);
/// Whether growth by `size` is accepted: the back end's own rule.
bool has_room(const Pool& pool, Gib size);

}  // namespace volgrow::control
