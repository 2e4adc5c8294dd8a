// SPDX-License-Identifier: Apache-2.0
// The heart: one job's way from a request to a verdict in measured bytes. Pure: it is given results
// and the time, and returns the next batch of steps or the end. It never asks, waits or writes
// itself.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "core/clock.h"
#include "core/request.h"
#include "core/result.h"
#include "stack/step.h"

namespace volgrow {

/// How long each kind of step may take and how often a lagging target is asked again.
struct JobLimits {
  Duration resolve = std::chrono::seconds(5);
  Duration probe = std::chrono::seconds(3);
  Duration grow = std::chrono::seconds(30);
  Duration measure = std::chrono::seconds(2);
  Duration first_retry = std::chrono::milliseconds(50);
  Duration slowest_retry = std::chrono::seconds(1);
  Duration dead_path_grace =
      std::chrono::seconds(5);  ///< silence after which a path may be evicted

  bool operator==(const JobLimits&) const = default;
};

enum class Phase : std::uint8_t {
  resolving,  ///< which layers are there
  probing,    ///< what do their targets say
  waiting,    ///< a target lags; it is asked again after a pause
  growing,    ///< rescans of what differs, then one layer above after the other
  verifying,  ///< everything is read once more
  done,
};
std::string_view name_of(Phase phase);

/// Steps to perform concurrently after waiting for `pause`; all results come back together.
struct Batch {
  std::vector<Step> steps;
  Duration pause{};
};
using Next = std::variant<Batch, JobResult>;

/// What one step of the batch in flight is about.
struct Sent {
  enum class What : std::uint8_t { resolve, probe, grow, measure, verify, evict, adopt };
  What what = What::resolve;
  std::size_t layer = 0;
  std::size_t member = 0;  ///< of the map `layer`, for evict and adopt
};

/// What a job knows of one layer beyond its LayerResult.
struct Finding {
  std::optional<Truth> truth;    ///< the target's last answer
  std::optional<Error> trouble;  ///< why this layer is not where it should be
  int attempts = 0;              ///< commands to resize it or to let a member go
  bool asked = false;            ///< a rescan or resize is to be sent, or was
  bool written = false;          ///< one was sent and may have had its effect, whatever it answered
  bool unmeasured = false;       ///< the last measurement failed: its size is not known
  bool unproven = false;         ///< grown, and its target did not answer once more
  bool stranger = false;         ///< a lost path on which another volume answers
  bool offered = false;          ///< a lost path its map was asked to take back
  std::optional<TimePoint> silent_since;  ///< its target's first missing answer since the last one
};

/// One job in flight: a value. `advance` is the only thing that changes it.
struct Job {
  Request request;
  JobLimits limits;
  Deadline deadline;
  TimePoint started;
  bool cancel_requested = false;  ///< honoured at the next layer boundary

  Phase phase = Phase::resolving;
  /// Something will be or was written: the stack's lock must be held from here on.
  bool writes = false;
  std::optional<Stack> stack;
  std::vector<LayerResult> layers;  ///< parallel to stack->layers, bottom to top
  std::vector<Finding> findings;    ///< likewise
  std::vector<Sent> sent;           ///< the batch in flight, indexed by step id
  std::optional<Error> failure;     ///< what the job will end with
  std::size_t rising = 0;           ///< the layer above the targets that grows next
  Duration pause{};                 ///< before a lagging target is asked again
  std::optional<Deadline> follows;  ///< until when the kernel may take to do what was asked of it
};

/// A job that begins `now` and has `time` to end.
Job new_job(Request request, const JobLimits& limits, Duration time, TimePoint now);

/// The first call takes no results. Afterwards: exactly the results of the batch returned last.
Next advance(Job& job, const std::vector<StepResult>& results, TimePoint now);

/// Ends the job with `error` from outside (its lock is held elsewhere, the executor broke).
JobResult abandon(Job& job, Error error, TimePoint now);

}  // namespace volgrow
