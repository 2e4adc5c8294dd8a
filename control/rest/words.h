// SPDX-License-Identifier: Apache-2.0
// Text as Python's str has it: split, strip, case; and the sentences that several answers share.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace volgrow::control::rest::words {

/// What webob says for a 400 and a 404 without a reason of its own.
inline constexpr std::string_view malformed =
    "The server could not comply with the request since it is either malformed or otherwise "
    "incorrect.";
inline constexpr std::string_view no_resource = "The resource could not be found.";

/// str.split(separator): "a,,b" has three parts, "" has one.
std::vector<std::string_view> split(std::string_view text, char separator);
/// str.split(): at runs of white space, none of the parts is empty.
std::vector<std::string_view> split_at_white(std::string_view text);
/// ASCII only: no word of Cinder's has other letters.
std::string lower(std::string_view text);
/// len(str): code points of UTF-8.
std::size_t length(std::string_view utf8);
/// str.strip(): also Unicode's white space.
std::string_view stripped(std::string_view utf8);
/// Whether bytes.decode() takes it.
bool is_utf8(std::string_view text);
/// urllib.parse.urlencode(): "a=1&b=x+y".
std::string urlencoded(const http::Parameters& query);

}  // namespace volgrow::control::rest::words
