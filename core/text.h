// SPDX-License-Identifier: Apache-2.0
// Text that came from a target, a dm name, HTTP or D-Bus is made printable here, and only here.
#pragma once

#include <string>
#include <string_view>

namespace volgrow {

/// Control characters, invalid UTF-8 and line or paragraph separators become \xNN; all else stays.
std::string printable(std::string_view text);

/// How a message cites what it was given: printable, in quotes, cut after 80 bytes.
std::string cited(std::string_view text);

/// Without leading and trailing white space; sysfs attributes end in a newline.
std::string_view trimmed(std::string_view text);

/// Lower-case hex digits, two a byte, no separators.
std::string to_hex(std::string_view bytes);

}  // namespace volgrow
