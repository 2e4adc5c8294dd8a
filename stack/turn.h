// SPDX-License-Identifier: Apache-2.0
// One call of `advance`: the job and the moment it happens. job.cpp holds the phases that look,
// growth.cpp the plan and the one that writes. Known to these two only.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "stack/job.h"
#include "stack/judge.h"

namespace volgrow {

class Turn {
 public:
  Turn(Job& job, TimePoint now) : job_(job), now_(now) {}

  Next start();
  Next resolved(const StepResult& result);
  Next probed(const std::vector<StepResult>& results);
  Next grown(const std::vector<StepResult>& results);
  Next verified(const std::vector<StepResult>& results);
  Next end();
  Next end(Error error);
  /// Ends with a batch planned and not performed.
  Next give_up(Error error) {
    forget_plan();
    return end(std::move(error));
  }

 private:
  using What = Sent::What;
  using Indices = std::vector<std::size_t>;

  Layer& layer(std::size_t i) { return job_.stack->layers[i]; }
  LayerResult& record(std::size_t i) { return job_.layers[i]; }
  Finding& finding(std::size_t i) { return job_.findings[i]; }
  std::size_t count() const { return job_.layers.size(); }

  /// A path whose target does not answer now.
  bool dead(std::size_t i) { return layer(i).has_target && !finding(i).truth; }
  bool lost(std::size_t i) { return !layer(i).lost_from.empty(); }
  /// Layers above the targets; what lies below a target (a loop device's file) is only shown.
  bool rises(std::size_t i) { return !layer(i).has_target && !below_a_target(i); }
  bool below_a_target(std::size_t i);
  /// It was asked to grow, the kernel does it later, and has not yet.
  bool awaited(std::size_t i);
  std::optional<Bytes> size_below(std::size_t i);

  bool late() const { return job_.deadline.passed(now_); }
  /// A step that only looks may end after the job's deadline: a job past it still measures.
  void add(Batch& batch, Sent sent, StepAction action, Duration limit);
  /// The pause before something is tried again: ever longer, never past the deadline.
  Duration next_pause();
  /// Whether the kernel is given more time to follow; the first call begins to count.
  bool may_follow();

  // What came back.
  void absorb(const std::vector<StepResult>& results);
  void absorb(const StepResult& result, Sent sent);
  void take_truth(std::size_t i, const Truth& truth);
  void take_failure(Sent sent, const Error& error);
  void take_measurement(std::size_t i, const Measurement& measured);
  void take_verified(std::size_t i, const Verified& verified);
  void take_done(Sent sent);

  // Asking.
  Next resolve(Duration pause);
  std::vector<Answer> answers();
  Next ask(const Indices& targets, Duration pause);
  Indices targets();
  void disown_strangers();
  Next no_answers();
  Next judged(const Judgement& judgement);
  Next again_or_end(Error error);

  // Planning.
  Next planned(Bytes size);
  Next refused_by_plan();
  void plan_targets(Bytes size);
  void plan_rising();
  void plan_members(std::size_t map, bool grows);
  void forget_plan();
  void intend(std::size_t i, std::string reason);

  // Writing.
  Next grow_targets();
  std::optional<Batch> await_targets();
  std::optional<Next> follow(std::size_t i);
  Batch rescan_below(std::size_t i);
  Next grow_next_above();
  std::optional<Next> raise(std::size_t i);
  std::optional<Error> cannot_rise(std::size_t i);
  std::optional<Next> part_with_dead(std::size_t i);
  std::optional<Next> take_back(std::size_t i);
  Next grow(std::size_t i, Bytes to);
  Next evict(std::size_t map, const Indices& dead);
  bool worth_another_try(std::size_t i);
  std::optional<Error> laggard(std::size_t i);
  Error shrinks(std::size_t i, Bytes possible);
  Indices dead_members(std::size_t map);
  Duration grace_left(const Indices& dead);
  std::string absence(std::size_t i);
  void refuse_above(std::size_t i, const Error& error);
  void defer_above(std::size_t i, std::size_t dead);
  void leave(std::size_t map, std::size_t member);
  void join(std::size_t map, std::size_t member);

  // Verifying.
  Next verify();
  std::optional<Batch> measure_unanswered(const std::vector<StepResult>& results, What what);
  std::vector<std::optional<Truth>> truths();
  std::optional<Next> heard_again(const std::vector<std::optional<Truth>>& before);
  std::optional<Batch> prove_again();
  std::optional<Error> alarm_in(const std::vector<Answer>& answers) const;

  Job& job_;
  TimePoint now_;
};

}  // namespace volgrow
