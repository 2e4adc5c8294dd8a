// SPDX-License-Identifier: Apache-2.0
// Columns as wide as what is in them.
#include "control/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/json.h"
#include "core/text.h"
#include "core/units.h"

namespace volgrow::control {
namespace {

constexpr std::size_t columns = 6;
using Line = std::array<std::string, columns>;

/// What the table and the document are made of.
struct InFlight {
  std::vector<Extend> extends;
  std::vector<Attachment> hosts;
};

Result<InFlight> in_flight(Store& store) {
  auto extends = store.open_extends();
  if (!extends) return std::unexpected(std::move(extends.error()));
  auto hosts = store.unsettled();
  if (!hosts) return std::unexpected(std::move(hosts.error()));
  return InFlight{std::move(*extends), std::move(*hosts)};
}

std::string age(WallTime since, WallTime now) {
  return human_duration(std::max(Duration::zero(), now - since));
}

Line line_of(const Extend& extend, WallTime now) {
  return {extend.volume_id,
          extend.deferred ? "waits for completion" : "extending",
          fmt::format("{} -> {} GiB", extend.old_size, extend.new_size),
          "",
          age(extend.started_at, now),
          extend.request_id};
}

Line line_of(const Attachment& attachment, WallTime now) {
  const auto& host = attachment.host;
  return {attachment.volume_id,
          std::string(name_of(host.state)),
          host.bytes ? human_size(*host.bytes) : "",
          printable(attachment.host_name().value_or("?")),
          host.since ? age(*host.since, now) : "",
          printable(host.reason)};
}

std::string table_of(const std::vector<Line>& lines) {
  std::array<std::size_t, columns> widths{};
  for (const auto& line : lines)
    for (std::size_t i = 0; i < columns; ++i)
      widths.at(i) = std::max(widths.at(i), line.at(i).size());
  std::string table;
  for (const auto& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < columns; ++i)
      text += fmt::format("{:<{}}  ", line.at(i), widths.at(i));
    table += fmt::format("{}\n", text.substr(0, text.find_last_not_of(' ') + 1));
  }
  return table;
}

Value value_of(const Extend& extend) {
  return Value::Object{
      {"volume_id", extend.volume_id},   {"old_size", extend.old_size},
      {"new_size", extend.new_size},     {"waits_for_completion", extend.deferred},
      {"request_id", extend.request_id}, {"started_at", utc_timestamp(extend.started_at)}};
}

Value value_of(const Attachment& attachment) {
  const auto& host = attachment.host;
  return Value::Object{{"volume_id", attachment.volume_id},
                       {"attachment_id", attachment.id},
                       {"host", attachment.host_name().value_or("")},
                       {"state", name_of(host.state)},
                       {"bytes", host.bytes ? Value(host.bytes->count()) : Value()},
                       {"reason", host.reason},
                       {"since", host.since ? Value(utc_timestamp(*host.since)) : Value()}};
}

}  // namespace

Result<std::string> status_table(Store& store, WallTime now) {
  const auto found = in_flight(store);
  if (!found) return std::unexpected(found.error());
  if (found->extends.empty() && found->hosts.empty()) return "nothing is in flight\n";
  std::vector<Line> lines{{"VOLUME", "STATE", "SIZE", "HOST", "SINCE", "REASON"}};
  for (const auto& extend : found->extends)
    lines.push_back(line_of(extend, now));
  for (const auto& attachment : found->hosts)
    lines.push_back(line_of(attachment, now));
  return table_of(lines);
}

Result<std::string> status_json(Store& store) {
  const auto found = in_flight(store);
  if (!found) return std::unexpected(found.error());
  Value::Array extends, hosts;
  for (const auto& extend : found->extends)
    extends.push_back(value_of(extend));
  for (const auto& attachment : found->hosts)
    hosts.push_back(value_of(attachment));
  return to_json(Value(Value::Object{{"schema", "volgrow.control-status/1"},
                                     {"extends", std::move(extends)},
                                     {"hosts", std::move(hosts)}})) +
         "\n";
}

}  // namespace volgrow::control
