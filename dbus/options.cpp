// SPDX-License-Identifier: Apache-2.0
// One table of options: the key, its D-Bus type, and where its value goes.
#include "dbus/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include "core/text.h"

namespace volgrow::bus {
namespace {

constexpr std::size_t longest_option = 256;

std::unexpected<Error> refused(std::string_view key, std::string_view why) {
  return failure(ErrorCode::invalid_args, fmt::format("option \"{}\" {}", key, why));
}

Result<std::string> short_text(std::string_view key, const OptionValue& value) {
  const auto& text = std::get<std::string>(value);
  if (text.size() <= longest_option) return text;
  return refused(key, fmt::format("is {} bytes long, at most {} fit", text.size(), longest_option));
}

Result<void> take_mode(const OptionValue& value, RequestOptions& into) {
  const auto mode = mode_named(std::get<std::string>(value));
  if (!mode) return refused("mode", "is at-least or exact");
  into.mode = *mode;
  return {};
}

Result<void> take_deadline(const OptionValue& value, RequestOptions& into) {
  into.deadline = std::chrono::milliseconds(std::get<std::uint32_t>(value));
  return {};
}

Result<void> take_idempotency_key(const OptionValue& value, RequestOptions& into) {
  auto key = short_text("idempotency-key", value);
  if (!key) return std::unexpected(key.error());
  if (key->empty()) return refused("idempotency-key", "is empty; leave it out instead");
  into.idempotency_key = std::move(*key);
  return {};
}

Result<void> take_volume_id(const OptionValue& value, RequestOptions& into) {
  const auto& id = std::get<std::string>(value);
  if (!is_volume_id(id))
    return refused("volume-id", "is 1 to 128 letters, digits, dots, dashes or underscores");
  into.volume_id = id;
  return {};
}

Result<void> take_wwid(const OptionValue& value, RequestOptions& into) {
  auto text = short_text("wwid", value);
  if (!text) return std::unexpected(text.error());
  auto wwid = parse_wwid(*text);
  if (!wwid) return std::unexpected(std::move(wwid.error()).during("option \"wwid\""));
  into.wwid = std::move(*wwid);
  return {};
}

Result<void> take_passphrase(const OptionValue&, RequestOptions& into) {
  into.has_passphrase = true;
  return {};
}

Result<void> take_dead_paths(const OptionValue& value, RequestOptions& into) {
  const auto policy = dead_paths_named(std::get<std::string>(value));
  if (!policy) return refused("dead-paths", "is evict or wait");
  into.dead_paths = *policy;
  return {};
}

Result<void> take_dry_run(const OptionValue& value, RequestOptions& into) {
  into.dry_run = std::get<bool>(value);
  return {};
}

struct Option {
  std::string_view key;
  std::string_view signature;
  Result<void> (*take)(const OptionValue&, RequestOptions&);
};

constexpr std::array known_options{
    Option{"mode", "s", take_mode},
    Option{"deadline-ms", "u", take_deadline},
    Option{"idempotency-key", "s", take_idempotency_key},
    Option{"volume-id", "s", take_volume_id},
    Option{"wwid", "s", take_wwid},
    Option{"passphrase", "h", take_passphrase},
    Option{"dead-paths", "s", take_dead_paths},
    Option{"dry-run", "b", take_dry_run},
};

std::string signature_of(const OptionValue& value) {
  constexpr std::array signatures{"s", "u", "b", "h"};
  if (const auto* other = std::get_if<OtherType>(&value)) return other->signature;
  return signatures.at(value.index());
}

std::unexpected<Error> unknown(std::string_view key) {
  std::string keys;
  for (const auto& option : known_options)
    keys += fmt::format("{}{} {}", keys.empty() ? "" : ", ", option.key, option.signature);
  // A hostile key may be megabytes long; its beginning tells a caller which one it was.
  return failure(ErrorCode::invalid_args,
                 fmt::format("unknown option \"{}\"; known are: {}",
                             printable(key.substr(0, longest_option)), keys));
}

Result<void> take(const std::string& key, const OptionValue& value, RequestOptions& into) {
  const auto* known = std::ranges::find(known_options, key, &Option::key);
  if (known == known_options.end()) return unknown(key);
  if (const auto signature = signature_of(value); signature != known->signature)
    return refused(key, fmt::format("has D-Bus type \"{}\", not \"{}\"", known->signature,
                                    printable(signature)));
  return known->take(value, into);
}

}  // namespace

std::uint32_t whole_milliseconds(Duration span) {
  const auto count = std::chrono::ceil<std::chrono::milliseconds>(span).count();
  constexpr auto most = std::int64_t{std::numeric_limits<std::uint32_t>::max()};
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(count, 0, most));
}

Result<RequestOptions> parse_options(const Options& options) {
  RequestOptions request;
  for (const auto& [key, value] : options)
    if (auto done = take(key, value, request); !done) return std::unexpected(done.error());
  return request;
}

Result<Options> options_of(const RequestOptions& request) {
  if (request.has_passphrase)
    return failure(ErrorCode::not_supported, "this client cannot hand a passphrase to volgrowd");
  const RequestOptions defaults;
  Options options;
  if (request.mode != defaults.mode) options["mode"] = std::string(name_of(request.mode));
  if (request.deadline) options["deadline-ms"] = whole_milliseconds(*request.deadline);
  if (!request.idempotency_key.empty()) options["idempotency-key"] = request.idempotency_key;
  if (!request.volume_id.empty()) options["volume-id"] = request.volume_id;
  if (request.wwid) options["wwid"] = to_string(*request.wwid);
  if (request.dead_paths) options["dead-paths"] = std::string(name_of(*request.dead_paths));
  if (request.dry_run) options["dry-run"] = true;
  return options;
}

}  // namespace volgrow::bus
