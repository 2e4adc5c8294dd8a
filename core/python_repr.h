// SPDX-License-Identifier: Apache-2.0
// Values as Python writes them, because OpenStack's messages cite them so: {'size': 1, 'name':
// None}.
#pragma once

#include <string>

#include "core/value.h"

namespace volgrow {

/// repr(value).
std::string python_repr(const Value& value);
/// str(value): a text is itself, everything else its repr.
std::string python_str(const Value& value);

}  // namespace volgrow
