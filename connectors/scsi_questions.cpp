// SPDX-License-Identifier: Apache-2.0
// READ CAPACITY(16) and INQUIRY, sent again where the target only had unit attentions to report.
#include "connectors/scsi_questions.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace volgrow::scsi {
namespace {

/// More than one unit attention can be queued (a reset, then a changed capacity); a target that
/// never runs out of them is no use.
constexpr int attempts = 4;

/// Sends it again while the target only has unit attentions to report.
Result<ScsiAnswer> command(const ScsiSender& send, Cdb cdb, std::size_t reply_size) {
  Result<ScsiAnswer> answer;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    answer = send(cdb, reply_size);
    if (!answer || answer->status != check_condition) return answer;
    const auto sense = parse_sense(answer->sense);
    if (!sense || !is_unit_attention(*sense)) return answer;
  }
  return answer;
}

std::unexpected<Error> about(std::string_view device, std::string_view action, Error error) {
  error.device = device;
  return std::unexpected(std::move(error).during(fmt::format("{} of {}", action, device)));
}

/// The page as it is now, not the copy the kernel keeps in sysfs since the device appeared.
Result<ScsiAnswer> ask_identification(const ScsiSender& send) {
  constexpr std::uint16_t usual = 0xff;
  auto answer = command(send, inquire_identification(usual), usual);
  if (!answer || answer->status != good) return answer;
  const auto needed = std::min<std::size_t>(identification_size(answer->data), 0xffff);
  if (needed <= usual) return answer;
  const auto all = static_cast<std::uint16_t>(needed);
  return command(send, inquire_identification(all), all);
}

}  // namespace

Result<Capacity> ask_capacity(const ScsiSender& send, std::string_view device) {
  constexpr std::string_view action = "READ CAPACITY(16)";
  auto answer = command(send, read_capacity_16(), capacity_reply_size);
  if (!answer) return about(device, action, std::move(answer.error()));
  if (answer->status != good)
    return about(device, action, refusal(answer->status, answer->sense, device));
  auto capacity = parse_capacity(answer->data);
  if (!capacity) return about(device, action, std::move(capacity.error()));
  return capacity;
}

Result<std::optional<Wwid>> ask_identity(const ScsiSender& send, std::string_view device) {
  constexpr std::string_view action = "INQUIRY";
  auto answer = ask_identification(send);
  if (!answer) return about(device, action, std::move(answer.error()));
  if (answer->status != good) {
    const auto sense = parse_sense(answer->sense);
    if (sense && is_unsupported(*sense)) return std::nullopt;
    return about(device, action, refusal(answer->status, answer->sense, device));
  }
  auto identity = parse_identification(answer->data);
  if (!identity) return about(device, action, std::move(identity.error()));
  return identity;
}

}  // namespace volgrow::scsi
