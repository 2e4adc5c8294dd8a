// SPDX-License-Identifier: Apache-2.0
// The plan and what is written: targets are rescanned together, then each layer above follows in
// its turn, without the dead and with those who came back.
#include <fmt/format.h>

#include <algorithm>

#include "core/units.h"
#include "stack/turn.h"

namespace volgrow {
namespace {

/// multipathd suspends a map itself for some milliseconds whenever it reloads it, by itself too
/// (auto_resize after a rescan): what it or a suspended map refuses is tried again, but not long.
constexpr Duration longest_reload = std::chrono::seconds(3);
constexpr int most_refusals = 3;

}  // namespace

// --- plan ---

void Turn::intend(std::size_t i, std::string reason) {
  record(i).action = LayerAction::planned;
  record(i).reason = std::move(reason);
}

void Turn::plan_targets(Bytes size) {
  for (std::size_t i = 0; i < count(); ++i) {
    if (!layer(i).has_target || dead(i)) continue;
    const auto& truth = *finding(i).truth;
    finding(i).asked = truth.size == size && record(i).after_bytes != size;
    if (finding(i).asked) intend(i, fmt::format("the target says {}", human_size(size)));
  }
}

void Turn::plan_rising() {
  for (std::size_t i = 0; i < count(); ++i) {
    if (!rises(i)) continue;
    const bool below = std::ranges::any_of(job_.layers, [&](const LayerResult& lower) {
      return lower.action == LayerAction::planned && layer(i).is_made_of(lower.device);
    });
    const auto possible = size_below(i);
    const bool grows = below || (possible && possible != record(i).after_bytes);
    const bool has_members = layer(i).growth != Growth::by_itself;  // others have no say in it
    if (has_members) plan_members(i, grows);
    if (!grows) continue;
    if (!below && *possible < record(i).after_bytes) return refuse_above(i, shrinks(i, *possible));
    if (layer(i).closed) return refuse_above(i, *layer(i).closed);
    const auto dead = dead_members(i);
    if (has_members && job_.request.dead_paths == DeadPaths::wait && !dead.empty()) {
      defer_above(i, dead.front());
      continue;
    }
    intend(i, "follows the layers below");
  }
}

/// Which paths would leave the map, and which would come back to it.
void Turn::plan_members(std::size_t map, bool grows) {
  if (grows && job_.request.dead_paths == DeadPaths::evict)
    for (const auto i : dead_members(map))
      intend(i, fmt::format("leaves {} if it stays silent", layer(map).device));
  for (std::size_t i = 0; i < map; ++i)
    if (layer(i).lost_from == layer(map).device && !dead(i) &&
        finding(i).truth->size == answers().front().truth.size)
      intend(i, "comes back to " + layer(map).device);
}

/// Steps that were planned and will not be sent.
void Turn::forget_plan() {
  for (std::size_t i = 0; i < count(); ++i) {
    if (record(i).action != LayerAction::planned) continue;
    record(i).action = LayerAction::none;
    record(i).reason.clear();
    finding(i).asked = false;
  }
}

/// The whole plan is made before its first step is taken: what will be refused above is refused
/// while nothing has been written below.
Next Turn::planned(Bytes size) {
  plan_targets(size);
  plan_rising();
  if (only_looks(job_.request)) return end();
  forget_plan();
  if (job_.failure) return refused_by_plan();
  if (late()) return grow_next_above();
  plan_targets(size);
  return grow_targets();
}

/// Nothing has been written for it.
Next Turn::refused_by_plan() {
  const bool may_pass = job_.failure->code == ErrorCode::multipath_refused && !job_.writes &&
                        now_ - job_.started < longest_reload && !late();
  if (!may_pass) return verify();
  job_.failure.reset();
  return resolve(next_pause());
}

// --- grow ---

Next Turn::grow_targets() {
  Batch batch;
  job_.sent.clear();
  for (std::size_t i = 0; i < count(); ++i)
    if (finding(i).asked && record(i).action == LayerAction::planned)
      add(batch, {What::grow, i}, GrowStep{layer(i), finding(i).truth->size}, job_.limits.grow);
  job_.follows.reset();
  if (batch.steps.empty()) return grow_next_above();
  job_.phase = Phase::growing;
  job_.writes = true;
  return batch;
}

Next Turn::grow(std::size_t i, Bytes to) {
  Batch batch;
  if (finding(i).asked) batch.pause = next_pause();
  // An attempt without time would only hide what the one before said.
  if (finding(i).asked && job_.deadline.passed(now_ + batch.pause)) return verify();
  job_.sent.clear();
  finding(i).asked = true;
  ++finding(i).attempts;
  finding(i).trouble.reset();
  record(i).action = LayerAction::planned;
  add(batch, {What::grow, i}, GrowStep{layer(i), to}, job_.limits.grow);
  job_.phase = Phase::growing;
  job_.writes = true;
  return batch;
}

/// After rescans or a resize, whatever was answered, the size of each layer that was asked decides
/// whether the next one rises.
Next Turn::grown(const std::vector<StepResult>& results) {
  const auto before = truths();
  const bool asked = std::ranges::count(job_.sent, What::verify, &Sent::what) > 0;
  absorb(results);
  if (auto sizes = measure_unanswered(results, What::grow)) return std::move(*sizes);
  if (asked && answers().empty()) return no_answers();
  if (asked)
    if (auto next = heard_again(before)) return std::move(*next);
  if (auto later = await_targets()) return std::move(*later);
  return grow_next_above();
}

// --- what the kernel does later ---

bool Turn::may_follow() {
  if (!job_.follows) {
    job_.follows = within(job_.limits.grow, now_);
    job_.pause = Duration::zero();
  }
  return !job_.follows->passed(now_) && !late() && !job_.cancel_requested;
}

/// A rescan that was answered with an error of the path's may still come; the path will say.
bool Turn::awaited(std::size_t i) {
  if (layer(i).growth != Growth::later || !finding(i).asked || dead(i)) return false;
  const auto& trouble = finding(i).trouble;
  if (trouble && trouble->code == ErrorCode::internal) return false;
  return record(i).after_bytes != finding(i).truth->size;
}

/// The rescans only queued work: until each path shows what its target says, it is measured and
/// its target asked, which also tells of one that dies meanwhile.
std::optional<Batch> Turn::await_targets() {
  Indices behind;
  for (std::size_t i = 0; i < count(); ++i)
    if (awaited(i)) behind.push_back(i);
  if (behind.empty() || !may_follow()) return std::nullopt;
  Batch batch{{}, next_pause()};
  job_.sent.clear();
  for (const auto i : behind)
    add(batch, {What::verify, i}, VerifyStep{layer(i), false},
        job_.limits.measure + job_.limits.probe);
  job_.phase = Phase::growing;
  return batch;
}

/// A layer that follows by itself is sent nothing, only measured until it has the size below it.
std::optional<Next> Turn::follow(std::size_t i) {
  const bool first = !std::exchange(finding(i).asked, true);
  if (finding(i).unmeasured || !may_follow()) return std::nullopt;
  if (first) job_.pause = Duration::zero();
  // It shows what the path shows that was looked at last: one that has died since may have held it.
  const bool stays = job_.pause == job_.limits.slowest_retry && finding(i).attempts++ == 0;
  if (stays) return rescan_below(i);
  Batch batch{{}, first ? Duration::zero() : next_pause()};
  job_.sent.clear();
  add(batch, {What::measure, i}, MeasureStep{layer(i), false}, job_.limits.measure);
  job_.phase = Phase::growing;
  return batch;
}

Batch Turn::rescan_below(std::size_t i) {
  Batch batch;
  job_.sent.clear();
  for (std::size_t j = 0; j < i; ++j) {
    if (!layer(i).is_made_of(layer(j).device) || dead(j)) continue;
    finding(j).asked = true;
    add(batch, {What::grow, j}, GrowStep{layer(j), finding(j).truth->size}, job_.limits.grow);
  }
  job_.phase = Phase::growing;
  job_.writes = true;
  return batch;
}

Next Turn::grow_next_above() {
  if (job_.cancel_requested) return verify();
  for (; job_.rising < count(); ++job_.rising)
    if (rises(job_.rising))
      if (auto next = raise(job_.rising)) return std::move(*next);
  return verify();
}

/// What one layer needs next; none: the one above it may have its turn.
std::optional<Next> Turn::raise(std::size_t i) {
  if (auto refused = cannot_rise(i)) {
    refuse_above(i, *refused);
    return verify();
  }
  const auto possible = size_below(i);
  if (!possible || possible == record(i).after_bytes) return take_back(i);
  if (layer(i).growth == Growth::by_itself) return follow(i);
  if (auto first = part_with_dead(i)) return first;
  if (finding(i).asked && !worth_another_try(i)) return std::nullopt;
  if (late()) return verify();
  return grow(i, *possible);
}

/// Nobody was there or had time; a path that answers us is not yet one for multipathd; or the map
/// was just being reloaded.
bool Turn::worth_another_try(std::size_t i) {
  const auto& trouble = finding(i).trouble;
  if (!trouble) return false;
  if (trouble->code == ErrorCode::multipath_refused) return finding(i).attempts < most_refusals;
  return trouble->code == ErrorCode::multipath_unavailable ||
         trouble->code == ErrorCode::no_usable_path;
}

std::optional<Error> Turn::cannot_rise(std::size_t i) {
  if (auto behind = laggard(i)) return behind;
  const auto possible = size_below(i);
  if (!possible || possible == record(i).after_bytes) return std::nullopt;
  if (*possible < record(i).after_bytes) return shrinks(i, *possible);
  return layer(i).closed;
}

/// A live member that did not follow its target: the kernel would refuse a table longer than it,
/// and what is above must not pretend.
std::optional<Error> Turn::laggard(std::size_t i) {
  for (std::size_t j = 0; j < i; ++j) {
    if (!layer(i).is_made_of(layer(j).device)) continue;
    if (!layer(j).has_target || !finding(j).asked || dead(j)) continue;
    if (record(j).after_bytes == finding(j).truth->size) continue;
    return Error{
        ErrorCode::paths_disagree,
        fmt::format("PathsDisagree: {} still shows {} after its rescan, the target says {}; "
                    "{} was left alone",
                    layer(j).device, human_size(record(j).after_bytes.value_or(Bytes())),
                    human_size(finding(j).truth->size), layer(i).device),
        layer(j).device, 0};
  }
  return std::nullopt;
}

/// Below, somebody shrank what this layer is made of: it is never made to follow.
Error Turn::shrinks(std::size_t i, Bytes possible) {
  return {
      ErrorCode::would_shrink,
      fmt::format("{} has {} and the layers below have become {}: following them would shrink a "
                  "volume in use. It was left alone; look at what is below",
                  layer(i).device, human_size(*record(i).after_bytes), human_size(possible)),
      layer(i).device, 0};
}

void Turn::refuse_above(std::size_t i, const Error& error) {
  record(i).action = LayerAction::refused;
  record(i).reason = error.message;
  finding(i).trouble = error;
  if (!job_.failure) job_.failure = error;
}

// --- members that are dead, and those who came back ---

/// Nothing can be sent to them: they keep their old size, and the kernel refuses a table longer
/// than its smallest member.
Turn::Indices Turn::dead_members(std::size_t map) {
  Indices all;
  for (std::size_t j = 0; j < map; ++j)
    if (layer(map).is_made_of(layer(j).device) && dead(j)) all.push_back(j);
  return all;
}

/// A dead path is given up when the kernel has given it up, or after it was silent for the grace.
Duration Turn::grace_left(const Indices& dead) {
  Duration left{};
  for (const auto i : dead) {
    if (layer(i).state == "offline" || layer(i).state == "transport-offline") continue;
    const auto silent = now_ - finding(i).silent_since.value_or(now_);
    left = std::max(left, job_.limits.dead_path_grace - silent);
  }
  return left;
}

std::optional<Next> Turn::part_with_dead(std::size_t i) {
  const auto dead = dead_members(i);
  if (dead.empty()) return std::nullopt;
  const auto left = grace_left(dead);
  const auto& trouble = finding(i).trouble;
  const bool refused = trouble && !worth_another_try(i);
  if (job_.request.dead_paths == DeadPaths::wait || late() || refused) {
    defer_above(i, dead.front());
    return verify();
  }
  if (left > Duration::zero()) return ask(dead, std::min(left, next_pause()));
  return evict(i, dead);
}

Next Turn::evict(std::size_t map, const Indices& dead) {
  Batch batch;
  if (std::exchange(finding(map).trouble, std::nullopt)) batch.pause = next_pause();
  ++finding(map).attempts;
  job_.sent.clear();
  for (const auto i : dead)
    add(batch, {What::evict, map, i}, EvictStep{layer(map), layer(i).device}, job_.limits.grow);
  job_.phase = Phase::growing;
  job_.writes = true;
  return batch;
}

/// Once a map has its size, paths that show the same one may be its members again.
std::optional<Next> Turn::take_back(std::size_t map) {
  Batch batch;
  job_.sent.clear();
  for (std::size_t i = 0; i < map; ++i) {
    if (layer(i).lost_from != layer(map).device || dead(i) || finding(i).offered) continue;
    if (record(i).after_bytes != record(map).after_bytes || late()) continue;
    finding(i).offered = true;
    add(batch, {What::adopt, map, i}, AdoptStep{layer(map), layer(i).device}, job_.limits.grow);
  }
  if (batch.steps.empty()) return std::nullopt;
  job_.phase = Phase::growing;
  job_.writes = true;
  return batch;
}

std::string Turn::absence(std::size_t i) {
  const auto& trouble = finding(i).trouble;
  if (trouble && trouble->code == ErrorCode::no_such_device) return trouble->message;
  const auto& silent_since = finding(i).silent_since;
  if (!silent_since || now_ - *silent_since < job_.limits.dead_path_grace)
    return fmt::format("is {}", layer(i).state);
  return fmt::format("no answer for {}", human_duration(now_ - *silent_since));
}

void Turn::leave(std::size_t map, std::size_t member) {
  std::erase(layer(map).below, layer(member).device);
  layer(member).lost_from = layer(map).device;
  record(member).action = LayerAction::evicted;
  record(member).reason = fmt::format("{}; returns to {} when it is back and rescanned",
                                      absence(member), layer(map).device);
}

void Turn::join(std::size_t map, std::size_t member) {
  layer(map).below.push_back(layer(member).device);
  layer(member).lost_from.clear();
  record(member).action = LayerAction::readopted;
  record(member).reason = "a member of " + layer(map).device + " again";
}

void Turn::defer_above(std::size_t i, std::size_t dead) {
  record(i).action = LayerAction::deferred;
  record(i).reason =
      fmt::format("waits for {}: {}", layer(dead).device, finding(dead).trouble->message);
}

}  // namespace volgrow
