// SPDX-License-Identifier: Apache-2.0
// Builders and parsers of SCSI bytes. Every length comes from the other side and is checked.
#include "connectors/scsi.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace volgrow::scsi {
namespace {

std::uint8_t byte_at(std::string_view bytes, std::size_t index) {
  return static_cast<std::uint8_t>(bytes[index]);
}

std::uint64_t big_endian(std::string_view bytes, std::size_t from, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = from; i < from + count; ++i)
    value = value << 8 | byte_at(bytes, i);
  return value;
}

std::unexpected<Error> unusable(std::string message) {
  return failure(ErrorCode::no_usable_path, std::move(message));
}

constexpr std::size_t page_header = 4;
constexpr std::size_t designator_header = 4;

enum Designator : std::uint8_t { t10_vendor = 1, eui64 = 2, naa = 3 };

/// NAA 6 has 16 bytes, NAA 2, 3 and 5 have 8 (SPC-4 7.8.6.6); anything else is a broken target.
bool is_naa(std::string_view value) {
  const auto kind = value.empty() ? 0 : byte_at(value, 0) >> 4;
  if (kind == 6) return value.size() == 16;
  return (kind == 2 || kind == 3 || kind == 5) && value.size() == 8;
}

bool is_eui(std::string_view value) {
  const bool length = value.size() == 8 || value.size() == 12 || value.size() == 16;
  return length && value.find_first_not_of('\0') != std::string_view::npos;
}

struct Candidate {
  int rank = 0;  ///< higher is better; 0: not an identity
  Wwid wwid;
};

Candidate candidate(std::uint8_t type, std::string_view value) {
  const auto made = [&](int rank, WwidType as) { return Candidate{rank, {as, to_hex(value)}}; };
  if (type == Designator::naa && is_naa(value))
    return made(value.size() == 16 ? 4 : 3, WwidType::naa);
  if (type == Designator::eui64 && is_eui(value)) return made(2, WwidType::eui);
  if (type == Designator::t10_vendor && !value.empty()) return made(1, WwidType::t10);
  return {};
}

/// First byte of every INQUIRY answer: qualifier 3 is "not capable of a device here", 1 is
/// "capable, but not connected now" (SPC-4 table 154).
Result<void> check_qualifier(std::uint8_t first) {
  const int qualifier = first >> 5;
  if (qualifier == 3)
    return failure(ErrorCode::no_such_device, "the target has no logical unit here any more");
  if (qualifier == 1) return unusable("the target has not connected the logical unit");
  return {};
}

Result<std::string_view> designators_of(std::string_view page) {
  if (page.size() < page_header || byte_at(page, 1) != 0x83)
    return unusable("the answer is no device identification page");
  if (auto present = check_qualifier(byte_at(page, 0)); !present)
    return std::unexpected(std::move(present.error()));
  const auto length = big_endian(page, 2, 2);
  if (page.size() < page_header + length)
    return unusable("the device identification page is cut off");
  return page.substr(page_header, length);
}

struct Meaning {
  std::uint8_t asc;
  const char* words;
};

/// The additional sense codes that READ CAPACITY and INQUIRY meet in practice (SPC-4 annex E.2).
constexpr std::array meanings{
    Meaning{0x04, "the logical unit is not ready"},
    Meaning{0x05, "the logical unit does not answer to selection"},
    Meaning{0x08, "communication with the logical unit failed"},
    Meaning{0x20, "no such command there"},
    Meaning{0x24, "a field of the command is not supported"},
    Meaning{0x25, "the target has no such logical unit"},
    Meaning{0x29, "power on or reset"},
    Meaning{0x2a, "parameters or capacity changed"},
    Meaning{0x3a, "no medium"},
    Meaning{0x3e, "the logical unit failed its self-test"},
    Meaning{0x3f, "the target's operating conditions changed"},
    Meaning{0x44, "internal target failure"},
};

const char* status_words(std::uint8_t status) {
  switch (status) {
    case 0x02:
      return "CHECK CONDITION without sense";
    case 0x08:
      return "BUSY";
    case 0x18:
      return "RESERVATION CONFLICT";
    case 0x28:
      return "TASK SET FULL";
    case 0x30:
      return "ACA ACTIVE";
    case 0x40:
      return "TASK ABORTED";
    default:
      return "an unknown status";
  }
}

}  // namespace

std::array<std::uint8_t, 16> read_capacity_16() {
  return {0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, capacity_reply_size, 0, 0};
}

Result<Capacity> parse_capacity(std::string_view reply) {
  if (reply.size() < 12)
    return unusable(fmt::format("READ CAPACITY(16) answered {} bytes, not 32", reply.size()));
  const auto last_block = big_endian(reply, 0, 8);
  const auto block_length = big_endian(reply, 8, 4);
  std::uint64_t blocks = 0;
  std::uint64_t bytes = 0;
  const bool too_many = __builtin_add_overflow(last_block, std::uint64_t{1}, &blocks) ||
                        __builtin_mul_overflow(blocks, block_length, &bytes);
  if (too_many || bytes == 0)
    return unusable(
        fmt::format("READ CAPACITY(16) answered nonsense: last block {}, block length {}",
                    last_block, block_length));
  return Capacity{Bytes(bytes), Bytes(block_length)};
}

std::array<std::uint8_t, 6> inquire_identification(std::uint16_t allocation) {
  return {0x12,
          0x01,
          0x83,
          static_cast<std::uint8_t>(allocation >> 8),
          static_cast<std::uint8_t>(allocation & 0xff),
          0};
}

std::size_t identification_size(std::string_view reply) {
  return reply.size() < page_header ? page_header : page_header + big_endian(reply, 2, 2);
}

Result<std::optional<Wwid>> parse_identification(std::string_view page) {
  auto list = designators_of(page);
  if (!list) return std::unexpected(std::move(list.error()));
  Candidate best;
  while (!list->empty()) {
    const std::size_t length = list->size() < designator_header ? 0 : byte_at(*list, 3);
    if (list->size() < designator_header + length)
      return unusable("a designator of the device identification page is cut off");
    const bool names_the_unit = (byte_at(*list, 1) >> 4 & 3) == 0;  // not its port or its target
    auto next = candidate(byte_at(*list, 1) & 0x0f, list->substr(designator_header, length));
    if (names_the_unit && next.rank > best.rank) best = std::move(next);
    list->remove_prefix(designator_header + length);
  }
  if (best.rank == 0) return std::nullopt;
  return best.wwid;
}

std::optional<Sense> parse_sense(std::string_view bytes) {
  if (bytes.empty()) return std::nullopt;
  const int format = byte_at(bytes, 0) & 0x7f;
  const bool fixed = format == 0x70 || format == 0x71;
  if (fixed && bytes.size() >= 14)
    return Sense{static_cast<std::uint8_t>(byte_at(bytes, 2) & 0x0f), byte_at(bytes, 12),
                 byte_at(bytes, 13)};
  const bool descriptor = format == 0x72 || format == 0x73;
  if (descriptor && bytes.size() >= 4)
    return Sense{static_cast<std::uint8_t>(byte_at(bytes, 1) & 0x0f), byte_at(bytes, 2),
                 byte_at(bytes, 3)};
  return std::nullopt;
}

bool is_unit_attention(const Sense& sense) {
  return sense.key == 0x06;
}

bool is_unsupported(const Sense& sense) {
  return sense.key == 0x05 && (sense.asc == 0x20 || sense.asc == 0x24);
}

std::string to_string(const Sense& sense) {
  const auto known = std::ranges::find(meanings, sense.asc, &Meaning::asc);
  const auto* words = known == meanings.end() ? "see SPC-4 annex E" : known->words;
  return fmt::format("{:02X}/{:02X}/{:02X}, {}", sense.key, sense.asc, sense.ascq, words);
}

Error refusal(std::uint8_t status, std::string_view sense_bytes, std::string_view device) {
  const auto sense = status == check_condition ? parse_sense(sense_bytes) : std::optional<Sense>();
  const bool gone = sense && sense->key == 0x05 && sense->asc == 0x25;
  const auto words = sense ? "sense " + to_string(*sense) : status_words(status);
  return Error{gone ? ErrorCode::no_such_device : ErrorCode::no_usable_path,
               fmt::format("the target answered {} with status {:02X}h: {}", device, status, words),
               std::string(device), 0};
}

}  // namespace volgrow::scsi
