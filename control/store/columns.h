// SPDX-License-Identifier: Apache-2.0
// Columns that may be null, and those that hold JSON, as values.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "control/store/rows.h"
#include "core/clock.h"
#include "core/json.h"

namespace volgrow::control {

Number nullable(const std::optional<WallTime>& time);
std::optional<WallTime> time_in(const Number& column);

std::string text_of(const std::map<std::string, std::string>& pairs);
/// What is no object of texts has none.
std::map<std::string, std::string> pairs_in(const std::string& json);
/// Null where it is no JSON.
Value value_in(const std::string& json);

}  // namespace volgrow::control
