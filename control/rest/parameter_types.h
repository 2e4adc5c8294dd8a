// SPDX-License-Identifier: Apache-2.0
// What several of Cinder's schemas are made of, by its names (cinder/api/validation).
#pragma once

#include <string_view>

#include "control/rest/schema.h"

namespace volgrow::control::rest {

/// uuidutils.is_uuid_like: hyphens anywhere, braces and "urn:uuid:" are taken, too.
bool is_uuid_like(std::string_view text);

namespace parameter {

using keyword::Type;

const Schema& boolean();
const Schema& optional_boolean();
const Schema& uuid();
const Schema& optional_uuid();
const Schema& volume_size();
const Schema& volume_size_allows_null();
const Schema& availability_zone();
const Schema& extra_specs();            ///< any text
const Schema& extra_specs_with_null();  ///< any text, or null
const Schema& extra_specs_with_no_spaces_key();
const Schema& metadata_allows_null();
const Schema& name_allow_zero_min_length();
const Schema& nullable_string();
const Schema& cinder_host();
/// A name or a description of up to 255 characters, or null: its fault begins with `field`.
Schema optional_text(bool is_name);
/// A text of one to 255 characters.
const Schema& short_text();

/// {"<key>": {…}}, the body of most requests.
Schema body_of(std::string_view key, Schema inner);

}  // namespace parameter
}  // namespace volgrow::control::rest
