// SPDX-License-Identifier: Apache-2.0
// What it means for a client that a call to volgrowd came back with an error.
#pragma once

#include <string>

#include "core/error.h"

namespace volgrow::bus {

/// `name` and `message` as they came over the bus. Unreachable says what to do about it.
Error error_of_call(const std::string& name, const std::string& message);

}  // namespace volgrow::bus
