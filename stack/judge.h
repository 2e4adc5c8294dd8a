// SPDX-License-Identifier: Apache-2.0
// What the targets' answers mean for a job, before anything is touched: may it go on, must it be
// refused, or is it worth asking again. Pure.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/error.h"
#include "core/identity.h"
#include "core/request.h"
#include "stack/step.h"

namespace volgrow {

/// One target's answer, and what the kernel shows for the same layer.
struct Answer {
  std::string device;
  std::optional<Bytes> kernel;
  Truth truth;
};

/// Every target says `size` and nothing forbids taking it over.
struct Agreed {
  Bytes size;
};
/// `error` is what the job ends with if the next answers are no better.
struct AskAgain {
  Error error;
};
using Judgement = std::variant<Agreed, AskAgain, Error>;

/// Identity first, then agreement, then shrinking, then the expected size. `answers` is not empty.
Judgement judge(const Request& request, const std::vector<Answer>& answers);

/// The shrinking part alone: a target has become smaller than what the kernel shows.
std::optional<Error> shrinking(const std::vector<Answer>& answers);

/// The identity part alone: all answers are one volume, and the pinned one if there is a pin.
std::optional<Error> wrong_identity(const Request& request, const std::vector<Answer>& answers);

}  // namespace volgrow
