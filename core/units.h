// SPDX-License-Identifier: Apache-2.0
// Sizes and time spans as people type and read them.
#pragma once

#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/error.h"

namespace volgrow {

/// "21474836480", "20G"/"20GiB" (binary), "20GB" (decimal), K M G T P; nothing else, no sign, no
/// fraction. Errors: InvalidArgs, with the text and the forms that are understood.
Result<Bytes> parse_size(std::string_view text);

/// "20 GiB", "1.5 GiB", "512 B": at most two decimals, binary units.
std::string human_size(Bytes size);

/// "20 GiB (21474836480 bytes)".
std::string exact_size(Bytes size);

/// "30s", "500ms", "2min"; a bare number is seconds. Errors: InvalidArgs.
Result<Duration> parse_duration(std::string_view text);

/// "1.8 ms", "12 s": for people.
std::string human_duration(Duration span);

/// "2026-01-01T00:00:00.000000Z".
std::string utc_timestamp(WallTime time);

/// Reads exactly what `utc_timestamp` writes. Errors: InvalidArgs.
Result<WallTime> parse_utc_timestamp(std::string_view text);

}  // namespace volgrow
