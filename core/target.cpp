// SPDX-License-Identifier: Apache-2.0
// Reads TARGETs (contracts §1). Only the form is judged here: whether there is such a volume is for
// resolve() to find out.
#include "core/target.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/identity.h"
#include "core/names.h"
#include "core/text.h"

namespace volgrow {
namespace {

/// PATH_MAX; no other kind of target comes near it.
constexpr std::size_t longest_target = 4096;

constexpr std::array prefixes{
    Named{TargetKind::volume_id, "id:"},
    Named{TargetKind::dm_name, "dm:"},
    Named{TargetKind::wwid, "wwid:"},
    Named{TargetKind::device, "dev:"},
};

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::unexpected<Error> refused(std::string_view text, std::string_view why) {
  return failure(ErrorCode::invalid_args, fmt::format("target {} {}", cited(text), why));
}

/// Whether a component between slashes is "..".
bool climbs(std::string_view path) {
  while (true) {
    const auto slash = path.find('/');
    if (path.substr(0, slash) == "..") return true;
    if (slash == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
  }
}

Target split(std::string_view text) {
  if (text.starts_with('/')) return {TargetKind::path, std::string(text)};
  for (const auto& [kind, prefix] : prefixes)
    if (text.starts_with(prefix)) return {kind, std::string(text.substr(prefix.size()))};
  return {TargetKind::any, std::string(text)};
}

/// What is wrong with it; empty when nothing is.
std::string_view fault_of(const Target& target) {
  const std::string_view text = target.text;
  if (text.empty()) return "names nothing";
  if (climbs(text)) return "has a \"..\" in its path; write the path without it";
  const bool is_wwid = parse_wwid(text).has_value();
  switch (target.kind) {
    case TargetKind::path:
      return {};
    case TargetKind::volume_id:
      return is_volume_id(text) ? "" : "is no volume id: 1 to 128 letters, digits, '.', '_', '-'";
    case TargetKind::wwid:
      return is_wwid ? "" : "is no WWID; write naa.HEX, eui.HEX, t10.TEXT, nguid.HEX or uuid.HEX";
    case TargetKind::dm_name:
    case TargetKind::device:
      return text.contains('/') ? "has a \"/\", which no device name has" : "";
    case TargetKind::any:
      // The text of a T10 designator may hold anything.
      return text.contains('/') && !is_wwid ? "has a \"/\"; a path begins with one" : "";
  }
  return {};
}

}  // namespace

Result<Target> parse_target(std::string_view text) {
  if (text.size() > longest_target)
    return refused(text, fmt::format("is longer than {} bytes", longest_target));
  if (printable(text) != text) return refused(text, "has a control character or invalid UTF-8");
  auto target = split(text);
  if (const auto fault = fault_of(target); !fault.empty()) return refused(text, fault);
  return target;
}

std::string to_text(const Target& target) {
  for (const auto& [kind, prefix] : prefixes)
    if (kind == target.kind) return std::string(prefix) + target.text;
  return target.text;
}

bool is_volume_id(std::string_view text) {
  constexpr std::size_t longest = 128;
  const auto allowed = [](char c) {
    return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= longest && is_alphanumeric(text.front()) &&
         std::ranges::all_of(text, allowed);
}

}  // namespace volgrow
