// SPDX-License-Identifier: Apache-2.0
// The a{sv} of every method that takes options: to RequestOptions and back, and what is refused.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>

#include "core/error.h"
#include "core/request.h"

namespace volgrow::bus {

/// A file descriptor came along. It was neither read nor kept.
struct PassedDescriptor {
  bool operator==(const PassedDescriptor&) const = default;
};
/// A value of a type no option has.
struct OtherType {
  std::string signature;
  bool operator==(const OtherType&) const = default;
};
using OptionValue = std::variant<std::string, std::uint32_t, bool, PassedDescriptor, OtherType>;
using Options = std::map<std::string, OptionValue>;

/// Errors: InvalidArgs that names the key, what it may be, and for an unknown key all known ones.
Result<RequestOptions> parse_options(const Options& options);

/// Only what differs from the defaults. Errors: NotSupported for a passphrase, because
/// RequestOptions carries none to send.
Result<Options> options_of(const RequestOptions& request);

/// How the bus carries a time span: never less than was asked for, at most what fits.
std::uint32_t whole_milliseconds(Duration span);

}  // namespace volgrow::bus
