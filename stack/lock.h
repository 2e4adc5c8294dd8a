// SPDX-License-Identifier: Apache-2.0
// The name of the lock that whoever writes to a stack must hold: one rule for volgrowd and for
// `volgrow --direct`. Taking it is theirs.
#pragma once

#include <string>

#include "connectors/layer.h"

namespace volgrow {

/// A file name beneath /run/volgrow: "dev-<major>:<minor>.lock" of the stack's top device, or
/// "file-<hash of its path>.lock" when the top is an image file.
std::string lock_name(const Layer& top);

}  // namespace volgrow
