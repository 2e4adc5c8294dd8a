// SPDX-License-Identifier: Apache-2.0
// cinder/api/common.py: get_pagination_params, get_sort_params, ViewBuilder; and
// process_sort_params of cinder/db/sqlalchemy/api.py.
#include "control/rest/paging.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "control/rest/words.h"

namespace volgrow::control::rest {
namespace {

Outcome<std::uint64_t> limit_asked(const Call& call, std::uint32_t most) {
  const auto* text = call.parameter("limit");
  if (text == nullptr) return most;
  const auto limit = integer_in(*text);
  if (!limit) return bad_request("limit param must be an integer");
  if (*limit < 0) return bad_request("limit param must be positive");
  return std::min<std::uint64_t>(static_cast<std::uint64_t>(*limit), most);
}

Outcome<std::uint64_t> offset_asked(const Call& call) {
  const auto* text = call.parameter("offset");
  if (text == nullptr) return 0;
  const auto offset = integer_in(*text);
  if (!offset) return bad_request("offset must be an integer");
  if (*offset < 0) return bad_request("offset must be >= 0");
  if (*offset > largest_number)
    return bad_request(fmt::format("offset must be <= {}", largest_number));
  return static_cast<std::uint64_t>(*offset);
}

Outcome<Sort> sort_of(std::string_view key, std::string_view direction) {
  if (direction != "asc" && direction != "desc")
    return invalid_input("Unknown sort direction, must be 'desc' or 'asc'.");
  return Sort{key == "display_name" ? "name" : std::string(key), direction == "asc"};
}

/// "name:asc": the part before the colon, and the one behind it.
std::pair<std::string_view, std::string_view> split_sort(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon + 1 == text.size())
    return {words::stripped(text.substr(0, colon)), "desc"};
  return {words::stripped(text.substr(0, colon)), words::stripped(text.substr(colon + 1))};
}

using Asked = std::vector<std::pair<std::string_view, std::string_view>>;

Asked keys_and_directions(const Call& call) {
  const auto* all = call.parameter("sort");
  Asked asked;
  if (all != nullptr) {
    for (const auto part : words::split(words::stripped(*all), ','))
      asked.push_back(split_sort(part));
    return asked;
  }
  const auto* key = call.parameter("sort_key");
  const auto* direction = call.parameter("sort_dir");
  asked.emplace_back(key == nullptr ? "created_at" : words::stripped(*key),
                     direction == nullptr ? "desc" : words::stripped(*direction));
  return asked;
}

bool has(const std::vector<Sort>& sort, std::string_view key) {
  return std::ranges::find(sort, key, &Sort::key) != sort.end();
}

}  // namespace

Outcome<Page> page_asked(const Call& call, std::uint32_t most) {
  const auto limit = limit_asked(call, most);
  if (!limit) return std::unexpected(limit.error());
  const auto offset = offset_asked(call);
  if (!offset) return std::unexpected(offset.error());
  Page page;
  page.limit = *limit;
  page.offset = *offset;
  if (const auto* marker = call.parameter("marker")) page.marker = *marker;
  return page;
}

Outcome<std::vector<Sort>> sort_asked(const Call& call) {
  const bool old = call.parameter("sort_key") != nullptr || call.parameter("sort_dir") != nullptr;
  if (call.parameter("sort") != nullptr && old)
    return bad_request(
        "The 'sort_key' and 'sort_dir' parameters are deprecated and cannot be used with the "
        "'sort' parameter.");
  std::vector<Sort> sort;
  for (const auto& [key, direction] : keys_and_directions(call)) {
    auto one = sort_of(key, direction);
    if (!one) return std::unexpected(std::move(one.error()));
    // A key decides where it stands first. The database's work grows with each.
    if (!has(sort, one->key)) sort.push_back(std::move(*one));
  }
  for (const auto* key : {"created_at", "id"})
    if (!has(sort, key)) sort.push_back({key, sort.front().ascending});
  return sort;
}

std::optional<bool> boolean_in(std::string_view text) {
  constexpr std::array<std::string_view, 6> yes{"1", "t", "true", "on", "y", "yes"};
  constexpr std::array<std::string_view, 6> no{"0", "f", "false", "off", "n", "no"};
  const auto word = words::lower(text);
  if (std::ranges::find(yes, word) != yes.end()) return true;
  if (std::ranges::find(no, word) != no.end()) return false;
  return std::nullopt;
}

Outcome<bool> flag_asked(const Call& call, std::string_view name) {
  const auto* text = call.parameter(name);
  if (text == nullptr) return false;
  const auto flag = boolean_in(*text);
  if (flag) return *flag;
  return bad_request(fmt::format("Value '{}' for '{}' is not a boolean.", *text, name));
}

std::optional<std::int64_t> integer_in(std::string_view text) {
  auto digits = words::stripped(text);
  if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
  std::int64_t number = 0;
  const auto* end = digits.data() + digits.size();
  const auto [read, error] = std::from_chars(digits.data(), end, number);
  if (digits.empty() || read != end) return std::nullopt;
  if (error == std::errc::result_out_of_range)
    return digits.starts_with('-') ? INT64_MIN : INT64_MAX;
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

std::string collection_url(const Place& place, std::string_view collection) {
  return fmt::format("{}/v3{}/{}", place.root, place.project, collection);
}

Value links_to(const Place& place, std::string_view collection, std::string_view id) {
  auto self = fmt::format("{}/{}", collection_url(place, collection), id);
  auto bookmark = fmt::format("{}{}/{}/{}", place.root, place.project, collection, id);
  return Value::Array{Value::Object{{"rel", "self"}, {"href", std::move(self)}},
                      Value::Object{{"rel", "bookmark"}, {"href", std::move(bookmark)}}};
}

Value next_link(const Call& call, std::string_view collection, std::string_view last) {
  http::Parameters query;
  for (const auto& parameter : call.query)
    if (parameter.first != "marker") query.push_back(parameter);
  query.emplace_back("marker", last);
  auto href =
      fmt::format("{}?{}", collection_url(call.place, collection), words::urlencoded(query));
  return Value::Array{Value::Object{{"rel", "next"}, {"href", std::move(href)}}};
}

}  // namespace volgrow::control::rest
