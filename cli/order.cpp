// SPDX-License-Identifier: Apache-2.0
// Options as text become values through core's parsers; only the option's name is added to an
// error.
#include "cli/order.h"

#include <fmt/format.h>

#include <utility>

#include "core/files.h"
#include "core/target.h"
#include "core/text.h"
#include "core/units.h"

namespace volgrow::cli {
namespace {

constexpr Bytes connection_limit = 256_KiB;

template <class T>
Result<T> named(std::string_view option, Result<T> result) {
  if (!result) return std::unexpected(std::move(result.error()).during(option));
  return result;
}

/// What is wrong with a file that an option names is a usage error, whatever the system said.
Result<std::string> read_connection_text(const std::string& file, int standard_input) {
  auto text = file == "-" ? read_text(standard_input, connection_limit, "standard input")
                          : read_text_file(file, connection_limit);
  if (!text) text.error().code = ErrorCode::invalid_args;
  return text;
}

}  // namespace

Request to_request(const Order& order) {
  Request request;
  request.operation = order.operation;
  request.subject = order.subject;
  if (const auto* connection = std::get_if<ConnectionInfo>(&order.subject))
    request.volume_id = connection->volume_id().value_or("");
  request.expected = order.expected;
  request.mode = order.options.mode;
  request.dead_paths = order.options.dead_paths.value_or(DeadPaths::evict);
  request.origin = Origin::cli;
  return request;
}

Result<ConnectionInfo> read_connection(const std::string& file, int standard_input) {
  const auto text = named("--connection", read_connection_text(file, standard_input));
  if (!text) return std::unexpected(text.error());
  return named("--connection", parse_connection_info(*text));
}

Result<Target> read_target(const std::string& text) {
  if (text.starts_with("{"))
    return failure(
        ErrorCode::invalid_args,
        "TARGET: connection info may hold secrets and does not belong on the command line, where "
        "every user can read it; pass it with --connection FILE, or --connection - for standard "
        "input");
  return named("TARGET", parse_target(text));
}

Result<Duration> read_timeout(const std::string& text) {
  auto span = named("--timeout", parse_duration(text));
  if (span && *span <= Duration::zero())
    return failure(ErrorCode::invalid_args, "--timeout: must be more than 0, for example 30s");
  return span;
}

Argument OrderOptions::target() {
  return {.name = "TARGET",
          .meaning = "The volume: a path, id:… dm:… wwid:… dev:…, or a name",
          .into = &target_};
}

Argument OrderOptions::connection() {
  return {.name = "--connection",
          .value = "FILE|-",
          .meaning = "The volume by Cinder's connection_info; - is standard input",
          .into = &connection_,
          .excludes = "TARGET"};
}

Argument OrderOptions::expect() {
  return {.name = "--expect",
          .value = "SIZE",
          .meaning = "Size the volume must reach: bytes, 20G, 20GiB, 20GB",
          .into = &expect_};
}

Argument OrderOptions::exact() {
  return {.name = "--exact",
          .meaning = "The volume must have exactly the expected size, not at least",
          .into = &exact_,
          .needs = "--expect"};
}

Argument OrderOptions::dead_paths() {
  return {.name = "--dead-paths",
          .value = "evict|wait",
          .meaning = "What to do with paths that are down (as agent.toml says)",
          .into = &dead_paths_};
}

Argument OrderOptions::timeout() {
  return {.name = "--timeout",
          .value = "TIME",
          .meaning = "When to give up: 500ms, 30s, 2min (30s)",
          .into = &timeout_};
}

Result<Subject> OrderOptions::read_subject(int standard_input) const {
  if (!connection_.empty()) return read_connection(connection_, standard_input);
  if (target_.empty())
    return failure(ErrorCode::invalid_args,
                   "TARGET is missing: name the volume, or pass --connection FILE");
  return read_target(target_);
}

Result<std::optional<Bytes>> OrderOptions::read_expect() const {
  if (expect_.empty()) return std::nullopt;
  const auto size = named("--expect", parse_size(expect_));
  if (!size) return std::unexpected(size.error());
  if (*size == Bytes())
    return failure(ErrorCode::invalid_args,
                   "--expect: no volume has 0 bytes; leave --expect out to accept any growth");
  return *size;
}

Result<RequestOptions> OrderOptions::read_options() const {
  const auto deadline = read_timeout(timeout_);
  if (!deadline) return std::unexpected(deadline.error());
  const auto dead_paths = dead_paths_named(dead_paths_);
  if (!dead_paths && !dead_paths_.empty())
    return failure(ErrorCode::invalid_args,
                   fmt::format("--dead-paths: {} is neither evict nor wait", cited(dead_paths_)));
  RequestOptions options;
  options.mode = exact_ ? Mode::exact : Mode::at_least;
  options.deadline = *deadline;
  options.dead_paths = dead_paths;
  return options;
}

Result<Order> OrderOptions::read(Operation operation, int standard_input) const {
  const auto expected = read_expect();
  if (!expected) return std::unexpected(expected.error());
  const auto options = read_options();
  if (!options) return std::unexpected(options.error());
  const auto subject = read_subject(standard_input);
  if (!subject) return std::unexpected(subject.error());
  return Order{operation, *subject, *expected, *options};
}

}  // namespace volgrow::cli
