// SPDX-License-Identifier: Apache-2.0
// Parsers of NVMe bytes and names. Every length comes from the other side and is checked.
#include "connectors/nvme.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "core/text.h"

namespace volgrow::nvme {
namespace {

std::uint8_t byte_at(std::string_view bytes, std::size_t index) {
  return static_cast<std::uint8_t>(bytes[index]);
}

std::uint64_t little_endian(std::string_view bytes, std::size_t from, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = from + count; i > from; --i)
    value = value << 8 | byte_at(bytes, i - 1);
  return value;
}

std::unexpected<Error> unusable(std::string message) {
  return failure(ErrorCode::no_usable_path, std::move(message));
}

bool is_zero(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

// Offsets in Identify Namespace.
constexpr std::size_t nsze = 0;
constexpr std::size_t flbas = 26;
constexpr std::size_t nguid = 104;
constexpr std::size_t eui64 = 120;
constexpr std::size_t formats = 128;
constexpr std::size_t format_size = 4;
constexpr std::size_t lbads_in_format = 2;

/// Four bits, and two more above them since there can be 64 formats.
std::size_t format_index(std::uint8_t in_use) {
  return static_cast<std::size_t>((in_use & 0x0f) | ((in_use & 0x60) >> 1));
}

std::optional<Wwid> identifier(WwidType type, std::string_view value) {
  if (is_zero(value)) return std::nullopt;
  return Wwid{type, to_hex(value)};
}

struct Descriptor {
  std::uint8_t type;
  std::size_t length;
  WwidType as;
  int rank;  ///< higher is better
};
constexpr std::array descriptors{
    Descriptor{1, 8, WwidType::eui, 1},
    Descriptor{2, 16, WwidType::nguid, 2},
    Descriptor{3, 16, WwidType::uuid, 3},
};

/// Status code type and code, without the flags "more" and "do not retry".
constexpr int code_of(int status) {
  return status & 0x7ff;
}

struct Meaning {
  int code;
  const char* words;
};
constexpr int invalid_field = 0x002;
constexpr int invalid_namespace = 0x00b;
/// Those that Identify meets in practice; 0x3.. are about the path (base specification, Status Code
/// Type 3h) and also what the kernel itself answers for a controller that is being reset.
constexpr std::array meanings{
    Meaning{0x001, "no such command there"},
    Meaning{invalid_field, "a field of the command is not supported"},
    Meaning{0x006, "internal target failure"},
    Meaning{0x007, "the command was aborted"},
    Meaning{invalid_namespace, "the target has no such namespace"},
    Meaning{0x082, "the namespace is not ready"},
    Meaning{0x301, "asymmetric access: the namespace is lost for good on this path"},
    Meaning{0x302, "asymmetric access: the namespace is inaccessible on this path"},
    Meaning{0x303, "asymmetric access: the path is in transition"},
    Meaning{0x370, "the path to the target failed"},
    Meaning{0x371, "the host gave the command up: the controller is being reset"},
};

/// Takes a decimal number off the front; nullopt when there is none, or one no kernel writes.
std::optional<std::uint32_t> take_number(std::string_view& text) {
  std::uint32_t number = 0;
  const auto [rest, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc()) return std::nullopt;
  const auto length = static_cast<std::size_t>(rest - text.data());
  if (length > 1 && text.front() == '0') return std::nullopt;
  text.remove_prefix(length);
  return number;
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// The value of one key of "key=value,key=value".
std::optional<std::string_view> value_of(std::string_view address, std::string_view key) {
  while (!address.empty()) {
    const auto end = std::min(address.find(','), address.size());
    auto pair = address.substr(0, end);
    if (take(pair, key) && take(pair, "=")) return pair;
    address.remove_prefix(std::min(end + 1, address.size()));
  }
  return std::nullopt;
}

}  // namespace

Result<Capacity> parse_capacity(std::string_view reply) {
  if (reply.size() < identify_size)
    return unusable(fmt::format("Identify Namespace returned {} bytes", reply.size()));
  if (is_zero(reply.substr(0, identify_size)))
    return failure(ErrorCode::no_such_device, "the target has no such namespace any more");
  const auto blocks = little_endian(reply, nsze, 8);
  const auto format = formats + format_size * format_index(byte_at(reply, flbas));
  const auto lbads = byte_at(reply, format + lbads_in_format);
  if (lbads < 9 || lbads >= 64)
    return unusable(fmt::format("Identify Namespace names blocks of 2^{} bytes", lbads));
  if (blocks == 0) return unusable("Identify Namespace names a namespace of no blocks");
  if (blocks > std::numeric_limits<std::uint64_t>::max() >> lbads)
    return unusable(fmt::format("Identify Namespace names {} blocks of 2^{} bytes", blocks, lbads));
  return Capacity{Bytes(blocks << lbads), Bytes(std::uint64_t{1} << lbads)};
}

std::optional<Wwid> parse_namespace_identity(std::string_view reply) {
  if (reply.size() < identify_size) return std::nullopt;
  if (auto found = identifier(WwidType::nguid, reply.substr(nguid, 16))) return found;
  return identifier(WwidType::eui, reply.substr(eui64, 8));
}

/// Each descriptor: type, length, two reserved bytes, the identifier; a length of 0 ends the list.
Result<std::optional<Wwid>> parse_descriptors(std::string_view reply) {
  constexpr std::size_t header = 4;
  std::optional<Wwid> best;
  int rank = 0;
  while (reply.size() >= header && byte_at(reply, 1) != 0) {
    const auto type = byte_at(reply, 0);
    const std::size_t length = byte_at(reply, 1);
    if (reply.size() < header + length)
      return unusable("the list of namespace identification descriptors is cut off");
    const auto known = std::ranges::find(descriptors, type, &Descriptor::type);
    if (known != descriptors.end() && known->length != length)
      return unusable(fmt::format("a namespace identifier of type {} has {} bytes", type, length));
    const auto value = reply.substr(header, length);
    if (known != descriptors.end() && known->rank > rank && !is_zero(value)) {
      best = identifier(known->as, value);
      rank = known->rank;
    }
    reply.remove_prefix(header + length);
  }
  return best;
}

bool is_unsupported(int status) {
  return code_of(status) == invalid_field;
}

Error refusal(int status, std::string_view device) {
  const auto code = code_of(status);
  const auto known = std::ranges::find(meanings, code, &Meaning::code);
  const auto* words = known == meanings.end() ? "an unknown status" : known->words;
  const bool gone = code == invalid_namespace;
  return {gone ? ErrorCode::no_such_device : ErrorCode::no_usable_path,
          fmt::format("status {:#05x}, {}", code, words), std::string(device), 0};
}

std::optional<DiskName> parse_disk_name(std::string_view name) {
  DiskName parts;
  if (!take(name, "nvme")) return std::nullopt;
  const auto instance = take_number(name);
  if (!instance) return std::nullopt;
  parts.instance = *instance;
  if (take(name, "c")) {
    parts.controller = take_number(name);
    if (!parts.controller) return std::nullopt;
  }
  if (!take(name, "n")) return std::nullopt;
  const auto number = take_number(name);
  if (!number || !name.empty()) return std::nullopt;
  parts.number = *number;
  return parts;
}

bool is_controller_name(std::string_view name) {
  return take(name, "nvme") && take_number(name) && name.empty();
}

std::string portal_of(std::string_view address) {
  const auto where = value_of(address, "traddr");
  if (!where) return std::string(address);
  const auto port = value_of(address, "trsvcid");
  const bool plain = !port || *port == "none";
  const bool bracketed = !plain && where->contains(':') && !where->starts_with('[');
  const auto host = bracketed ? fmt::format("[{}]", *where) : std::string(*where);
  return plain ? host : fmt::format("{}:{}", host, *port);
}

}  // namespace volgrow::nvme
