// SPDX-License-Identifier: Apache-2.0
// The old, the new and the replicated form of an NVMe-oF connection, made one.
#include "connectors/nvme_connection.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "connectors/path_keys.h"
#include "core/text.h"

namespace volgrow {
namespace {

/// The members of `data`, or of one replica in it.
struct Members {
  const Value::Object& of;
  std::string prefix;  ///< "volume_replicas[0]."

  const Value* find(std::string_view key) const { return member_of(of, key); }
  std::unexpected<Error> malformed(std::string_view key, std::string_view problem) const {
    return bad_key(prefix + std::string(key), problem);
  }
};

/// NQNs are compared as they are: no letter of one is like another (NVMe base specification, 4.7).
Result<std::string> name_in(const Members& members, std::string_view key) {
  const auto* value = members.find(key);
  if (value == nullptr) return members.malformed(key, "is missing");
  const auto* text = value->text();
  if (text == nullptr || text->empty() || printable(*text) != *text)
    return members.malformed(key, "is no NVMe qualified name");
  return *text;
}

Result<std::optional<std::string>> host_in(const Members& members) {
  if (members.find("host_nqn") == nullptr) return std::nullopt;
  return name_in(members, "host_nqn");
}

/// With or without hyphens, in either case, as os-brick takes it.
Result<std::optional<std::string>> identifier_in(const Members& members, std::string_view key) {
  const auto* value = members.find(key);
  if (value == nullptr) return std::nullopt;
  const auto* text = value->text();
  std::string digits = text == nullptr ? "" : *text;
  std::erase(digits, '-');
  for (auto& c : digits)
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  const bool hex = digits.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (digits.size() == 32 && hex) return digits;
  return members.malformed(key, "is no UUID; expected 32 hex digits, with or without hyphens");
}

std::optional<std::uint64_t> number_in(const Value& value) {
  if (const auto* number = std::get_if<std::uint64_t>(&value.data)) return *number;
  if (const auto* number = std::get_if<std::int64_t>(&value.data))
    return *number < 0 ? std::nullopt : std::optional(static_cast<std::uint64_t>(*number));
  const auto* text = value.text();
  if (text == nullptr) return std::nullopt;
  std::uint64_t number = 0;
  const auto* end = text->data() + text->size();
  const auto [rest, failed] = std::from_chars(text->data(), end, number);
  return failed == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

/// 0 is no namespace, and the last number means all of them.
Result<std::optional<std::uint32_t>> nsid_in(const Members& members) {
  constexpr std::string_view key = "ns_id";
  const auto* value = members.find(key);
  if (value == nullptr) return std::nullopt;
  const auto number = number_in(*value);
  if (number && *number > 0 && *number < std::numeric_limits<std::uint32_t>::max())
    return static_cast<std::uint32_t>(*number);
  return members.malformed(key, "is no namespace's number");
}

/// [address, port, transport]. Which controllers there are, sysfs says; here only that it is one.
Result<void> check_portal(const Members& members, const Value& portal, std::size_t index) {
  const auto place = fmt::format("portals[{}]", index);
  const auto* parts = portal.array();
  if (parts == nullptr || parts->size() != 3)
    return members.malformed(place, "is not [ADDRESS, PORT, TRANSPORT]");
  const auto* address = (*parts)[0].text();
  if (address == nullptr || address->empty()) return members.malformed(place, "has no address");
  const auto port = number_in((*parts)[1]);
  if (!port || *port > 65535) return members.malformed(place, "has no port");
  if ((*parts)[2].text() == nullptr) return members.malformed(place, "has no transport");
  return {};
}

Result<void> check_portals(const Members& members) {
  constexpr std::string_view key = "portals";
  const auto* value = members.find(key);
  if (value == nullptr) return members.malformed(key, "is missing");
  const auto* portals = value->array();
  if (portals == nullptr || portals->empty())
    return members.malformed(key, "is no list of portals");
  for (std::size_t i = 0; i < portals->size(); ++i)
    if (auto good = check_portal(members, (*portals)[i], i); !good) return good;
  return {};
}

Result<void> check_old_portal(const Members& members) {
  for (const auto* key : {"target_portal", "transport_type"}) {
    const auto* value = members.find(key);
    if (value == nullptr) return members.malformed(key, "is missing");
    if (value->text() == nullptr || value->text()->empty())
      return members.malformed(key, "is no text");
  }
  const auto* port = members.find("target_port");
  if (port == nullptr) return members.malformed("target_port", "is missing");
  const auto number = number_in(*port);
  if (!number || *number > 65535) return members.malformed("target_port", "is no port");
  return {};
}

Result<NvmeConnection> connection_in(const Members& members, std::string_view nqn_key) {
  auto subsystem = name_in(members, nqn_key);
  if (!subsystem) return std::unexpected(std::move(subsystem.error()));
  auto host = host_in(members);
  if (!host) return std::unexpected(std::move(host.error()));
  auto uuid = identifier_in(members, "vol_uuid");
  if (!uuid) return std::unexpected(std::move(uuid.error()));
  auto nguid = identifier_in(members, "volume_nguid");
  if (!nguid) return std::unexpected(std::move(nguid.error()));
  auto nsid = nsid_in(members);
  if (!nsid) return std::unexpected(std::move(nsid.error()));
  return NvmeConnection{*std::move(subsystem), *std::move(host), *std::move(uuid),
                        *std::move(nguid), *nsid};
}

Result<NvmeConnection> new_form(const Members& members) {
  if (auto good = check_portals(members); !good) return std::unexpected(std::move(good.error()));
  return connection_in(members, "target_nqn");
}

/// Its vol_uuid is not os-brick's to read: there it is Cinder's id or nothing.
Result<NvmeConnection> old_form(const Members& members) {
  if (auto good = check_old_portal(members); !good) return std::unexpected(std::move(good.error()));
  auto connection = connection_in(members, "nqn");
  if (connection) connection->uuid.reset();
  return connection;
}

std::string alias_in(const Members& members) {
  const auto* alias = members.find("alias");
  const auto* text = alias == nullptr ? nullptr : alias->text();
  return text == nullptr ? "that has no alias" : cited(*text);
}

/// One replica is the volume itself; several are members of an md array that os-brick makes.
Result<NvmeConnection> replicated_form(const Members& members) {
  constexpr std::string_view key = "volume_replicas";
  const auto* replicas = members.find(key)->array();
  if (replicas == nullptr || replicas->empty())
    return members.malformed(key, "is no list of replicas");
  if (replicas->size() > 1)
    return failure(ErrorCode::not_supported,
                   fmt::format("this volume has {} replicas, joined by the md array {}; this "
                               "version cannot grow md",
                               replicas->size(), alias_in(members)));
  const auto* only = replicas->front().object();
  if (only == nullptr) return members.malformed("volume_replicas[0]", "is no replica");
  return new_form({*only, "volume_replicas[0]."});
}

}  // namespace

Result<NvmeConnection> parse_nvme_connection(const ConnectionInfo& info) {
  const Members members{info.data, ""};
  if (members.find("volume_replicas") != nullptr) return replicated_form(members);
  if (members.find("target_nqn") != nullptr) return new_form(members);
  if (members.find("nqn") != nullptr) return old_form(members);
  return bad_key("target_nqn", "is missing, and so are data.nqn and data.volume_replicas");
}

}  // namespace volgrow
