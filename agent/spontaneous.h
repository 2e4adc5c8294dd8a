// SPDX-License-Identifier: Apache-2.0
// What becomes of a change that nobody announced. The array grew, or a path came back with another
// size: a job takes it over, where the policy says so. A volume that has become smaller, or is
// another one, is an alarm: told once, and never followed.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "agent/config.h"
#include "core/clock.h"
#include "core/model.h"
#include "core/request.h"
#include "core/result.h"
#include "service/log.h"

namespace volgrow::agent {

/// Some live layer shows less than what is below it, or than its target, has.
bool has_grown(const JobResult& look);

class Spontaneous {
 public:
  struct Needs {
    const Clock& clock;
    const Config& config;
    Log& log;
  };
  /// Starts the job.
  using Grow = std::function<void(Request)>;

  Spontaneous(Needs needs, Grow grow) : needs_(needs), grow_(std::move(grow)) {}

  /// A look found this, while no job of the volume was under way. `name`: as Lookout has it;
  /// `state`: the volume's, which can be `shrunk` although its target has no less.
  void seen(const std::string& name, const Request& look, const JobResult& result,
            VolumeState state);
  void forget(const std::string& name);

 private:
  /// The layers for which a job was started last: it is not repeated at once when it was in vain.
  struct Attempt {
    std::string layers;
    Duration pause{};
    TimePoint not_before;
  };

  void tell(const std::string& name, const JobResult& result, VolumeState state);
  bool may_grow(const Request& look) const;
  bool is_new(const std::string& name, const JobResult& result);

  Needs needs_;
  Grow grow_;
  std::map<std::string, VolumeState> alarms_;  ///< mismatch or shrunk, and told
  std::map<std::string, Attempt> attempts_;
};

}  // namespace volgrow::agent
