// SPDX-License-Identifier: Apache-2.0
// JSON text to Value and back, with limits a stranger cannot exceed.
#pragma once

#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/error.h"
#include "core/value.h"

namespace volgrow {

struct JsonLimits {
  Bytes size = Bytes(std::uint64_t{256} << 10);
  int depth = 16;
};

/// A whole number is uint64, a negative one int64, any other (or one too big for these) double.
/// Keys of an object are unique. Errors: InvalidArgs that says where the text stops being JSON,
/// which limit it exceeds or which key is there twice; it never cites a value, which may be a
/// secret.
Result<Value> parse_json(std::string_view text, JsonLimits limits = {});

/// One line, UTF-8; invalid UTF-8 inside strings becomes U+FFFD.
std::string to_json(const Value& value);

}  // namespace volgrow
