// SPDX-License-Identifier: Apache-2.0
// Query parameters that several collections have, as cinder/api/common.py reads them, and the links
// of their answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/rest/call.h"
#include "control/store.h"

namespace volgrow::control::rest {

/// A collection cannot have more of anything than Cinder's database counts.
inline constexpr std::int64_t largest_number = 2147483647;

/// limit, marker and offset. Faults: 400.
Outcome<Page> page_asked(const Call& call, std::uint32_t most);
/// sort, or sort_key and sort_dir, with what Cinder adds to be certain of the order. Faults: 400,
/// but not for a key that is none.
Outcome<std::vector<Sort>> sort_asked(const Call& call);

/// A parameter that is yes or no. Faults: 400 "Value 'maybe' for 'force' is not a boolean.".
Outcome<bool> flag_asked(const Call& call, std::string_view name);
/// strutils.bool_from_string(strict=True); nothing when it is neither.
std::optional<bool> boolean_in(std::string_view text);
/// int(text): nothing when it is none, or has more digits than anybody needs.
std::optional<std::int64_t> integer_in(std::string_view text);

/// "http://host/v3/<project>/volumes": the collection as links name it.
std::string collection_url(const Place& place, std::string_view collection);
/// self and bookmark of one of a collection.
Value links_to(const Place& place, std::string_view collection, std::string_view id);
/// The link to what follows `last`, where as many were asked for as came: Cinder's rule. Null when
/// there is none.
Value next_link(const Call& call, std::string_view collection, std::string_view last);

}  // namespace volgrow::control::rest
