// SPDX-License-Identifier: Apache-2.0
// Object paths to ids and back; pure text.
#include "dbus/object_path.h"

#include <fmt/format.h>

#include <charconv>

#include "dbus/server.h"

namespace volgrow::bus {
namespace {

// Not std::isalnum: what a path may hold does not depend on the locale.
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::optional<char> hex_byte(std::string_view digits) {
  unsigned value = 0;
  const auto* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value, 16);
  if (digits.size() != 2 || error != std::errc() || stop != end) return std::nullopt;
  return static_cast<char>(value);
}

/// What follows `parent` and a slash, when that is a single element.
std::optional<std::string_view> child_of(std::string_view parent, std::string_view path) {
  if (!path.starts_with(parent)) return std::nullopt;
  path.remove_prefix(parent.size());
  if (path.size() < 2 || path.front() != '/') return std::nullopt;
  path.remove_prefix(1);
  if (path.find('/') != std::string_view::npos) return std::nullopt;
  return path;
}

}  // namespace

std::string encode_label(std::string_view text) {
  if (text.empty()) return "_";
  std::string label;
  for (const char c : text) {
    if (is_letter(c) || (is_digit(c) && !label.empty()))
      label += c;
    else
      label += fmt::format("_{:02x}", static_cast<unsigned char>(c));
  }
  return label;
}

std::optional<std::string> decode_label(std::string_view label) {
  if (label == "_") return std::string();
  std::string text;
  while (!label.empty()) {
    const bool escaped = label.front() == '_';
    const auto c = escaped ? hex_byte(label.substr(1, 2)) : label.front();
    if (!c) return std::nullopt;
    text += *c;
    label.remove_prefix(escaped ? 3 : 1);
  }
  return text;
}

std::string volume_path(const std::string& volume_id) {
  return fmt::format("{}/{}", volumes_path, encode_label(volume_id));
}

std::string job_path(JobId id) {
  return fmt::format("{}/{}", jobs_path, id);
}

std::optional<std::string> volume_at(std::string_view path) {
  const auto label = child_of(volumes_path, path);
  return label ? decode_label(*label) : std::nullopt;
}

std::optional<JobId> job_at(std::string_view path) {
  const auto label = child_of(jobs_path, path);
  if (!label) return std::nullopt;
  JobId id = 0;
  const auto* end = label->data() + label->size();
  const auto [stop, error] = std::from_chars(label->data(), end, id);
  if (error != std::errc() || stop != end) return std::nullopt;
  return id;
}

}  // namespace volgrow::bus
