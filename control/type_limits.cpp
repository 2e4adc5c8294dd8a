// SPDX-License-Identifier: Apache-2.0
// cinder/volume/volume_types.py, provision_filter_on_size.
#include "control/type_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

namespace volgrow::control {
namespace {

struct Limit {
  std::string text;  ///< as the type has it, and as a refusal cites it
  Gib size = 0;
};

/// int(text) of Python, which takes blanks around the number.
std::optional<Gib> number_in(std::string_view text) {
  constexpr std::string_view white = " \t\n\v\f\r";
  text.remove_prefix(std::min(text.find_first_not_of(white), text.size()));
  text = text.substr(0, text.find_last_not_of(white) + 1);
  Gib number = 0;
  const auto* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stopped == end ? std::optional(number) : std::nullopt;
}

Outcome<std::optional<Limit>> limit_of(const VolumeType& type, const std::string& key) {
  const auto spec = type.extra_specs.find(key);
  if (spec == type.extra_specs.end() || spec->second.empty()) return std::nullopt;
  const auto size = number_in(spec->second);
  if (!size)
    return invalid_input(fmt::format("The extra spec {} of volume type '{}' is no number: '{}'.",
                                     key, type.name, spec->second));
  return Limit{spec->second, *size};
}

}  // namespace

Outcome<void> check_type_limits(const VolumeType& type, Gib size) {
  const auto least = limit_of(type, "provisioning:min_vol_size");
  if (!least) return std::unexpected(least.error());
  if (*least && size < (*least)->size)
    return invalid_input(
        fmt::format("Specified volume size of '{}' is less than the minimum required size of '{}' "
                    "for volume type '{}'.",
                    size, (*least)->text, type.name));
  const auto most = limit_of(type, "provisioning:max_vol_size");
  if (!most) return std::unexpected(most.error());
  if (*most && size > (*most)->size)
    return invalid_input(
        fmt::format("Specified volume size of '{}' is greater than the maximum allowable size of "
                    "'{}' for volume type '{}'.",
                    size, (*most)->text, type.name));
  return {};
}

}  // namespace volgrow::control
