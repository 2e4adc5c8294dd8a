// SPDX-License-Identifier: Apache-2.0
// One thing to do to one layer, and what came back: all that crosses from deciding (advance) to
// doing (an executor) and from the daemon to its workers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "connectors/connector.h"
#include "connectors/layer.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/request.h"

namespace volgrow {

/// A volume on this host: its layers, bottom to top; the last one is what the consumer opens.
struct Stack {
  std::vector<Layer> layers;
  std::vector<Layer> riders{};  ///< what stands on it and is shown only, see stack/riders.h

  const Layer& top() const { return layers.back(); }
  bool operator==(const Stack&) const = default;
};

struct ResolveStep {
  Subject subject;
};
struct ProbeStep {
  Layer layer;
};
/// Measured at once where it went well: what is above waits for that size.
struct GrowStep {
  Layer layer;
  Bytes to;
};
struct MeasureStep {
  Layer layer;
  bool consumer = false;
};
/// MeasureStep and ProbeStep at once, of a layer that has a target.
struct VerifyStep {
  Layer layer;
  bool consumer = false;
};
struct EvictStep {
  Layer layer;         ///< the map
  std::string member;  ///< kernel name
};
struct AdoptStep {
  Layer layer;
  std::string member;
};
using StepAction =
    std::variant<ResolveStep, ProbeStep, GrowStep, MeasureStep, VerifyStep, EvictStep, AdoptStep>;

/// Whether it leaves everything as it is.
bool only_looks(const StepAction& action);

struct Step {
  std::uint32_t id = 0;  ///< unique within its batch
  StepAction action;
  Deadline deadline;                 ///< when an answer is of no use any more
  Duration limit = Duration::max();  ///< how long it may take once begun; waiting its turn is free

  /// Whoever performs it begins now: from here on its limit counts too.
  void begin(TimePoint now) {
    if (limit < deadline.remaining(now)) deadline = within(limit, now);
  }
};

struct Done {};
struct Verified {
  Measurement measured;
  Result<Truth> truth;
};
using StepAnswer = std::variant<Done, Stack, Truth, Measurement, Verified>;

struct StepResult {
  std::uint32_t id = 0;
  Result<StepAnswer> answer;
  Duration took{};
};

/// Does one step; what a worker process, a thread of --direct and the tests' inline executor run.
StepResult perform(const Step& step, const Connectors& connectors, Host& host);

/// The typed request and answer on a worker's socket; nullopt for bytes that are no such thing.
std::string encode(const Step& step);
std::optional<Step> decode_step(std::string_view bytes);
std::string encode(const StepResult& result);
std::optional<StepResult> decode_step_result(std::string_view bytes);

}  // namespace volgrow
