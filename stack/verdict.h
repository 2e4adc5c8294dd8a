// SPDX-License-Identifier: Apache-2.0
// What the layers of a finished walk should show, and whether they do. About measured bytes, never
// about "the write worked". Pure.
#pragma once

#include <optional>
#include <string>

#include "core/result.h"
#include "stack/job.h"

namespace volgrow {

/// Reads a finished walk: what each layer should show, and whether it does.
class Verdict {
 public:
  explicit Verdict(const Job& job);

  const Layer& layer(std::size_t i) const { return job_.stack->layers[i]; }
  const LayerResult& record(std::size_t i) const { return job_.layers[i]; }
  const Finding& finding(std::size_t i) const { return job_.findings[i]; }
  std::optional<Bytes> goal(std::size_t i) const { return goals_[i]; }
  bool right(std::size_t i) const { return goals_[i] && record(i).after_bytes == goals_[i]; }
  bool wrong(std::size_t i) const { return goals_[i] && record(i).after_bytes != goals_[i]; }

  /// The consumer has every byte the target has, or with no target to ask, what was expected.
  bool consumer_served() const;
  bool wrote() const;
  /// Some layer is larger than it was found, whoever did it.
  bool grew() const;
  bool pending() const;

 private:
  /// The target's size for a layer that has one; above it, what is left after each layer's
  /// overhead.
  std::optional<Bytes> goal_of(std::size_t i) const;

  const Job& job_;
  std::vector<std::optional<Bytes>> goals_;
};

/// Larger than it was found.
bool grew_itself(const LayerResult& record);

/// The path of its device node.
std::string node_of(const Layer& layer);

}  // namespace volgrow
