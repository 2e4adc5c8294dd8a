// SPDX-License-Identifier: Apache-2.0
// Takes portals apart; inet_pton and inet_ntop know the spellings of IPv6.
#include "connectors/iscsi_portal.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "core/text.h"

namespace volgrow {
namespace {

std::unexpected<Error> bad(std::string_view text) {
  return failure(ErrorCode::invalid_args,
                 fmt::format("{} is no portal; expected ADDRESS:PORT or [IPV6]:PORT", cited(text)));
}

std::optional<std::uint16_t> port_in(std::string_view text) {
  std::uint16_t port = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, port);
  return failed == std::errc() && rest == end && port != 0 ? std::optional(port) : std::nullopt;
}

std::optional<std::string> ipv4(const std::string& text) {
  in_addr address{};
  if (::inet_pton(AF_INET, text.c_str(), &address) != 1) return std::nullopt;
  std::array<char, INET_ADDRSTRLEN> written{};
  ::inet_ntop(AF_INET, &address, written.data(), written.size());
  return written.data();
}

/// Without its zone: who wrote the connection knows other interfaces than this host has, and sysfs
/// gives none. The target's name tells link-local addresses of several links apart.
std::optional<std::string> ipv6(const std::string& text) {
  in6_addr address{};
  if (::inet_pton(AF_INET6, text.substr(0, text.find('%')).c_str(), &address) != 1)
    return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> written{};
  ::inet_ntop(AF_INET6, &address, written.data(), written.size());
  const std::string_view canonical = written.data();
  // A socket of IPv6 that talks IPv4 shows the mapped form.
  constexpr std::string_view mapped = "::ffff:";
  if (canonical.starts_with(mapped) && canonical.find('.') != std::string_view::npos)
    return std::string(canonical.substr(mapped.size()));
  return std::string(canonical);
}

std::optional<std::string> name(std::string_view text) {
  std::string lowered(text);
  for (auto& c : lowered)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789.-_";
  const bool is_name = !lowered.empty() && lowered.front() != '-' &&
                       lowered.find_first_not_of(allowed) == std::string::npos &&
                       lowered.find_first_not_of("0123456789.") != std::string::npos;
  return is_name ? std::optional(lowered) : std::nullopt;
}

std::optional<std::string> host_in(std::string_view text) {
  const std::string whole(text);
  if (auto found = ipv4(whole)) return found;
  if (auto found = ipv6(whole)) return found;
  return name(text);
}

std::optional<IscsiPortal> bracketed(std::string_view text) {
  const auto end = text.find(']');
  if (end == std::string_view::npos) return std::nullopt;
  const auto host = ipv6(std::string(text.substr(1, end - 1)));
  const auto rest = text.substr(end + 1);
  if (!host) return std::nullopt;
  if (rest.empty()) return IscsiPortal{*host, default_iscsi_port};
  const auto port = rest.front() == ':' ? port_in(rest.substr(1)) : std::nullopt;
  return port ? std::optional(IscsiPortal{*host, *port}) : std::nullopt;
}

/// os-brick takes what is behind the last colon for the port, also when there are no brackets.
std::optional<IscsiPortal> plain(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon != std::string_view::npos) {
    const auto host = host_in(text.substr(0, colon));
    const auto port = port_in(text.substr(colon + 1));
    if (host && port) return IscsiPortal{*host, *port};
  }
  const auto host = host_in(text);
  return host ? std::optional(IscsiPortal{*host, default_iscsi_port}) : std::nullopt;
}

std::string_view without_group(std::string_view text) {
  const auto comma = text.rfind(',');
  if (comma == std::string_view::npos) return text;
  const auto group = text.substr(comma + 1);
  const bool number =
      !group.empty() && std::ranges::all_of(group, [](char c) { return c >= '0' && c <= '9'; });
  return number ? text.substr(0, comma) : text;
}

}  // namespace

Result<IscsiPortal> parse_iscsi_portal(std::string_view text) {
  const auto address = without_group(trimmed(text));
  const auto portal = address.starts_with('[') ? bracketed(address) : plain(address);
  if (portal) return *portal;
  return bad(text);
}

Result<IscsiPortal> iscsi_portal_of(std::string_view address, std::string_view port) {
  const bool brackets = address.starts_with('[') && address.ends_with(']');
  const auto host = host_in(brackets ? address.substr(1, address.size() - 2) : address);
  const auto number = port_in(port);
  if (host && number) return IscsiPortal{*host, *number};
  return bad(fmt::format("{}:{}", address, port));
}

std::string portal_text(std::string_view host, std::uint16_t port) {
  const bool is_ipv6 = host.find(':') != std::string_view::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::string to_string(const IscsiPortal& portal) {
  return portal_text(portal.host, portal.port);
}

}  // namespace volgrow
