// SPDX-License-Identifier: Apache-2.0
// One function a verb does what storage would; answers are timers of the loop.
#include "tests/fakes/fake_back_ends.h"

#include <fmt/format.h>

#include <utility>

namespace volgrow {
namespace {

using backend::Outcome;

std::unexpected<Error> no_such(const backend::VolumeName& name) {
  return failure(ErrorCode::no_such_volume,
                 fmt::format("there is no volume {} on {}", name.id, name.backend));
}

/// What each verb does to one back end and its volumes.
struct Verb {
  const FakeBackEnds::BackEnd& back_end;
  std::map<std::string, FakeBackEnds::Volume>& volumes;

  Bytes used() const {
    Bytes sum;
    for (const auto& [id, volume] : volumes)
      sum = sum + volume.size;
    return sum;
  }
  FakeBackEnds::Volume* find(const backend::VolumeName& name) const {
    const auto found = volumes.find(name.id);
    return found == volumes.end() ? nullptr : &found->second;
  }
  std::optional<Error> no_room_for(Bytes growth) const {
    if (used() + growth <= back_end.total) return std::nullopt;
    return Error{ErrorCode::no_space, "the back end is full", {}, 0};
  }

  Result<Outcome> operator()(const backend::GetCapabilities& /*call*/) const {
    return backend::Capabilities{back_end.driver,         back_end.protocol,
                                 back_end.in_use_extend,  back_end.total,
                                 back_end.total - used(), back_end.max_over_subscription_ratio};
  }
  Result<Outcome> operator()(const backend::Create& call) const {
    if (const auto* there = find(call.volume); there && there->size != call.size)
      return failure(ErrorCode::size_mismatch, "it is there with another size");
    if (find(call.volume)) return backend::Measured{call.size};
    if (auto full = no_room_for(call.size)) return std::unexpected(std::move(*full));
    volumes[call.volume.id] = {call.size};
    return backend::Measured{call.size};
  }
  Result<Outcome> operator()(const backend::GetSize& call) const {
    const auto* volume = find(call.volume);
    if (!volume) return no_such(call.volume);
    return backend::Measured{volume->size};
  }
  Result<Outcome> operator()(const backend::Extend& call) const {
    auto* volume = find(call.volume);
    if (!volume) return no_such(call.volume);
    if (call.size < volume->size) return failure(ErrorCode::would_shrink, "it is bigger already");
    if (!volume->hosts.empty() && !back_end.in_use_extend && call.size > volume->size)
      return failure(ErrorCode::busy, "it is exported");
    if (auto full = no_room_for(call.size - volume->size)) return std::unexpected(std::move(*full));
    volume->size = call.size;
    return backend::Measured{call.size};
  }
  Result<Outcome> operator()(const backend::Export& call) const {
    auto* volume = find(call.volume);
    if (!volume) return no_such(call.volume);
    volume->hosts.insert(call.to.host);
    const auto device = fmt::format("/dev/{}-of-{}", call.volume.id, call.to.host);
    return backend::Connection{Value::Object{{"driver_volume_type", back_end.protocol},
                                             {"data", Value::Object{{"device_path", device},
                                                                    {"volume_id", call.volume.id},
                                                                    {"discard", false},
                                                                    {"qos_specs", nullptr},
                                                                    {"access_mode", "rw"},
                                                                    {"encrypted", false},
                                                                    {"cacheable", false}}}}};
  }
  Result<Outcome> operator()(const backend::Unexport& call) const {
    if (auto* volume = find(call.volume)) volume->hosts.erase(call.from.host);
    return backend::Unexported{};
  }
  Result<Outcome> operator()(const backend::Remove& call) const {
    if (const auto* volume = find(call.volume); volume && !volume->hosts.empty())
      return failure(ErrorCode::busy, "it is exported");
    volumes.erase(call.volume.id);
    return backend::Removed{};
  }
};

std::string_view word_of(const backend::Call& call) {
  return std::visit([](const auto& verb) { return verb.word; }, call);
}

}  // namespace

FakeBackEnds::Course FakeBackEnds::course_of(std::string_view word) {
  const auto found = courses_.find(word);
  if (found == courses_.end() || found->second.empty()) return {.done = true, .error = {}};
  auto course = std::move(found->second.front());
  found->second.pop_front();
  return course;
}

void FakeBackEnds::ask(backend::Call call, Deadline deadline, Then<Outcome> then) {
  calls_.push_back(call);
  auto course = course_of(word_of(call));
  const auto asked = asked_.insert(asked_.end(), {std::move(call), std::move(then)});
  switch (course.answered) {
    case Course::Answered::at_once:
      return end_at(TimePoint::min(), asked, std::move(course.error), course.done);
    case Course::Answered::when_told:
      return held_.push_back(asked);
    case Course::Answered::at_deadline:
      if (course.done) static_cast<void>(perform(asked->call));
      return end_at(deadline.at, asked, Error{ErrorCode::timed_out, "no answer in time", {}, 0},
                    false);
  }
}

void FakeBackEnds::end_at(TimePoint when, Place asked, std::optional<Error> error, bool done) {
  Result<Outcome> outcome = done ? perform(asked->call) : Result<Outcome>();
  if (error) outcome = std::unexpected(std::move(*error));
  asked->turn = loop_.at(when, [this, asked, outcome] { end(asked, outcome); }).value();
}

void FakeBackEnds::release() {
  const auto asked = held_.front();
  held_.pop_front();
  end_at(TimePoint::min(), asked, std::nullopt, true);
}

void FakeBackEnds::lose_the_callers() {
  held_.clear();
  asked_.clear();
}

void FakeBackEnds::end(Place asked, Result<Outcome> outcome) {
  auto then = std::move(asked->then);
  asked_.erase(asked);
  then(std::move(outcome));
}

Result<Outcome> FakeBackEnds::perform(const backend::Call& call) {
  const auto back_end = back_ends.find(backend::backend_of(call));
  if (back_end == back_ends.end())
    return failure(ErrorCode::not_initialised,
                   fmt::format("there is no back end {} here", backend::backend_of(call)));
  return std::visit(Verb{back_end->second, volumes}, call);
}

}  // namespace volgrow
