// SPDX-License-Identifier: Apache-2.0
// Goals go from the target up: what a layer should show is what the one below it should, less its
// overhead.
#include "stack/verdict.h"

#include <algorithm>

namespace volgrow {

Verdict::Verdict(const Job& job) : job_(job), goals_(job.layers.size()) {
  for (std::size_t i = 0; i < goals_.size(); ++i)
    goals_[i] = goal_of(i);
}

std::optional<Bytes> Verdict::goal_of(std::size_t i) const {
  if (layer(i).has_target) {
    const auto& truth = finding(i).truth;
    return truth ? std::optional(truth->size) : std::nullopt;
  }
  for (std::size_t j = 0; j < i; ++j) {
    if (!layer(i).is_made_of(layer(j).device) || !goals_[j]) continue;
    return *goals_[j] - layer(i).overhead;
  }
  return std::nullopt;
}

bool Verdict::consumer_served() const {
  if (job_.layers.empty()) return false;
  const auto top = job_.layers.size() - 1;
  if (goals_[top]) return right(top);
  const auto& size = record(top).after_bytes;
  return size && job_.request.expected && *size + layer(top).overhead >= *job_.request.expected;
}

bool Verdict::wrote() const {
  return std::ranges::any_of(job_.findings, &Finding::written);
}

bool grew_itself(const LayerResult& record) {
  return record.before_bytes && record.after_bytes && *record.before_bytes < *record.after_bytes;
}

bool Verdict::grew() const {
  return std::ranges::any_of(job_.layers, grew_itself);
}

bool Verdict::pending() const {
  return std::ranges::any_of(job_.findings, &Finding::unproven) ||
         std::ranges::any_of(job_.layers, [](const LayerResult& record) {
           return record.action == LayerAction::deferred || record.action == LayerAction::evicted;
         });
}

std::string node_of(const Layer& layer) {
  return layer.device.starts_with('/') ? layer.device : "/dev/" + layer.device;
}

}  // namespace volgrow
