// SPDX-License-Identifier: Apache-2.0
// Judges looks by measured bytes: what the targets say beside what the kernel shows.
#include "agent/spontaneous.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/volume_book.h"
#include "core/units.h"

namespace volgrow::agent {
namespace {

constexpr Duration first_pause = std::chrono::minutes(1);
constexpr Duration longest_pause = std::chrono::hours(1);

bool is_smaller_at_its_target(const LayerResult& layer) {
  return layer.target_bytes && layer.after_bytes && *layer.target_bytes < *layer.after_bytes;
}

bool is_larger_at_its_target(const LayerResult& layer) {
  return layer.target_bytes && layer.after_bytes && *layer.target_bytes > *layer.after_bytes;
}

/// What joins paths and can have no more than the smallest of them.
bool joins(const LayerResult& layer) {
  return layer.kind == LayerKind::multipath || layer.kind == LayerKind::nvme_namespace;
}

/// Of the paths that answer; those of size 0 hold nobody back.
std::optional<Bytes> smallest_path(const JobResult& look) {
  std::optional<Bytes> smallest;
  for (const auto& layer : look.layers) {
    if (!layer.target_bytes || !layer.after_bytes || *layer.after_bytes == Bytes()) continue;
    if (!smallest || *layer.after_bytes < *smallest) smallest = *layer.after_bytes;
  }
  return smallest;
}

std::string layers_of(const JobResult& look) {
  std::string text;
  const auto size = [](const std::optional<Bytes>& bytes) {
    return bytes ? std::to_string(bytes->count()) : "?";
  };
  for (const auto& layer : look.layers)
    text += fmt::format("{} {} {} {};", layer.device, layer.state, size(layer.target_bytes),
                        size(layer.after_bytes));
  return text;
}

bool is_alarm(VolumeState state) {
  return state == VolumeState::mismatch || state == VolumeState::shrunk;
}

std::string sentence_for(VolumeState alarm, const std::string& name, const JobResult& look) {
  if (alarm == VolumeState::mismatch && look.error)
    return fmt::format("{}: {}", name, look.error->message);
  const auto layer = std::ranges::find_if(look.layers, is_smaller_at_its_target);
  if (layer == look.layers.end())
    return fmt::format(
        "{}: {} has become smaller: {}. That was not volgrowd's doing; look at the target before "
        "somebody writes there",
        name, look.device, exact_size(look.size.value_or(Bytes())));
  return fmt::format(
      "{}: {} shows {}, its target says {}: the volume has become smaller at its target. Nothing "
      "is changed here; look at the target before somebody writes there",
      name, layer->device, exact_size(*layer->after_bytes), exact_size(*layer->target_bytes));
}

}  // namespace

bool has_grown(const JobResult& look) {
  if (std::ranges::any_of(look.layers, is_larger_at_its_target)) return true;
  const auto possible = smallest_path(look);
  return possible && std::ranges::any_of(look.layers, [&](const LayerResult& layer) {
           return joins(layer) && !layer.target_bytes && layer.after_bytes &&
                  *layer.after_bytes < *possible;
         });
}

/// What the target has less of, or has of another volume, nobody may follow; what it has more of,
/// also after it had less.
void Spontaneous::seen(const std::string& name, const Request& look, const JobResult& result,
                       VolumeState state) {
  tell(name, result, state);
  if (is_alarm(state_in(result)) || result.error || !has_grown(result)) return;
  if (!may_grow(look) || !is_new(name, result)) return;
  needs_.log.info(fmt::format("{} has grown and nobody announced it", name));
  auto request = look;
  request.operation = Operation::rescan;
  request.origin = Origin::spontaneous;
  grow_(std::move(request));
}

void Spontaneous::forget(const std::string& name) {
  alarms_.erase(name);
  attempts_.erase(name);
}

/// Once, however often it is seen, and once when it is over.
void Spontaneous::tell(const std::string& name, const JobResult& result, VolumeState state) {
  const auto known = alarms_.find(name);
  const bool told = known != alarms_.end();
  if (is_alarm(state) && !(told && known->second == state)) {
    needs_.log.error(sentence_for(state, name, result), {{field::volume, result.volume_id}});
    alarms_.insert_or_assign(name, state);
  }
  if (told && !is_alarm(state) && !result.error) {
    needs_.log.info(fmt::format("{} is as large as it was again", name));
    alarms_.erase(known);
  }
}

bool Spontaneous::may_grow(const Request& look) const {
  switch (needs_.config.auto_growth) {
    case AutoGrowth::never:
      return false;
    case AutoGrowth::registered:
      return !look.volume_id.empty();
    case AutoGrowth::all:
      return true;
  }
  return false;
}

bool Spontaneous::is_new(const std::string& name, const JobResult& result) {
  auto& attempt = attempts_[name];
  const auto now = needs_.clock.now();
  auto layers = layers_of(result);
  const bool same = attempt.layers == layers;
  if (same && now < attempt.not_before) return false;
  attempt.pause = same ? std::min(attempt.pause * 2, longest_pause) : first_pause;
  attempt.not_before = now + attempt.pause;
  attempt.layers = std::move(layers);
  return true;
}

}  // namespace volgrow::agent
