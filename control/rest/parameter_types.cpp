// SPDX-License-Identifier: Apache-2.0
// cinder/api/validation/parameter_types.py and validators.py, keyword by keyword: the order in
// which they stand decides which of two mistakes a client is told.
#include "control/rest/parameter_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "control/rest/paging.h"
#include "control/rest/words.h"

namespace volgrow::control::rest {
namespace {

constexpr std::size_t longest = 255;

Outcome<bool> is_uuid(const Value& value) {
  const auto* text = value.text();
  return text != nullptr && is_uuid_like(*text);
}

Outcome<bool> has_short_text(const Value& value, std::string_view field) {
  const auto* text = value.text();
  if (text == nullptr) return true;
  const auto length = words::length(words::stripped(*text));
  if (length <= longest) return true;
  return invalid_input(fmt::format("{} has {} characters, more than {}.", field, length, longest));
}

Outcome<bool> is_short_name(const Value& value) {
  return has_short_text(value, "name");
}
Outcome<bool> is_short_description(const Value& value) {
  return has_short_text(value, "description");
}

}  // namespace

bool is_uuid_like(std::string_view text) {
  std::string digits(text);
  for (const std::string_view noise : {"urn:", "uuid:"})
    for (auto at = digits.find(noise); at != std::string::npos; at = digits.find(noise))
      digits.erase(at, noise.size());
  const auto first = std::min(digits.find_first_not_of("{}"), digits.size());
  const auto last = digits.find_last_not_of("{}");
  digits = last == std::string::npos ? "" : digits.substr(first, last - first + 1);
  std::erase(digits, '-');
  return digits.size() == 32 &&
         std::ranges::all_of(digits, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

namespace parameter {

const Schema& boolean() {
  static const Schema schema{
      type({Type::boolean, Type::string}),
      one_of_values({true,  "True", "TRUE", "true", "1",   "ON",    "On",    "on",    "YES",
                     "Yes", "yes",  "y",    "t",    false, "False", "FALSE", "false", "0",
                     "OFF", "Off",  "off",  "NO",   "No",  "no",    "n",     "f"})};
  return schema;
}

const Schema& optional_boolean() {
  static const Schema schema{any_of({Schema{type(Type::null)}, boolean()})};
  return schema;
}

const Schema& uuid() {
  static const Schema schema{type(Type::string), format("uuid", is_uuid)};
  return schema;
}

const Schema& optional_uuid() {
  static const Schema schema{any_of({Schema{type(Type::null)}, uuid()})};
  return schema;
}

const Schema& volume_size() {
  static const Schema schema{type({Type::integer, Type::string}), pattern("^[0-9]+$"), minimum(1),
                             maximum(largest_number)};
  return schema;
}

const Schema& volume_size_allows_null() {
  static const Schema schema{type({Type::integer, Type::string, Type::null}), pattern("^[0-9]+$"),
                             minimum(1), maximum(largest_number)};
  return schema;
}

const Schema& availability_zone() {
  static const Schema schema{type({Type::string, Type::null}), min_length(1), max_length(longest)};
  return schema;
}

namespace {

constexpr std::string_view spec_key = "^[a-zA-Z0-9-_:. /]{1,255}$";

Schema pairs(std::initializer_list<Type> whole, std::string_view key, Schema value) {
  return {type(whole), pattern_properties(key, std::move(value)), no_others()};
}

}  // namespace

const Schema& extra_specs() {
  static const Schema schema =
      pairs({Type::object}, spec_key, {type(Type::string), max_length(longest)});
  return schema;
}

const Schema& extra_specs_with_null() {
  static const Schema schema =
      pairs({Type::object}, spec_key, {type({Type::string, Type::null}), max_length(longest)});
  return schema;
}

const Schema& extra_specs_with_no_spaces_key() {
  static const Schema schema =
      pairs({Type::object}, "^[a-zA-Z0-9-_:.]{1,255}$",
            {type({Type::string, Type::null}), min_length(0), max_length(longest)});
  return schema;
}

const Schema& metadata_allows_null() {
  static const Schema schema =
      pairs({Type::object, Type::null}, spec_key, {type(Type::string), max_length(longest)});
  return schema;
}

const Schema& name_allow_zero_min_length() {
  static const Schema schema{type({Type::string, Type::null}), min_length(0), max_length(longest)};
  return schema;
}

const Schema& nullable_string() {
  return name_allow_zero_min_length();
}

const Schema& cinder_host() {
  static const Schema schema{type({Type::string, Type::null}), min_length(1), max_length(longest),
                             pattern("^[a-zA-Z0-9-._#@:/+\\[\\]]*$")};
  return schema;
}

Schema optional_text(bool is_name) {
  if (is_name)
    return {type({Type::string, Type::null}),
            format("name_non_mandatory_remove_white_spaces", is_short_name)};
  return {type({Type::string, Type::null}),
          format("description_non_mandatory_remove_white_spaces", is_short_description)};
}

const Schema& short_text() {
  static const Schema schema{type(Type::string), min_length(1), max_length(longest)};
  return schema;
}

Schema body_of(std::string_view key, Schema inner) {
  const std::string name(key);
  return {type(Type::object), properties({{name, std::move(inner)}}), required({name}),
          no_others()};
}

}  // namespace parameter
}  // namespace volgrow::control::rest
