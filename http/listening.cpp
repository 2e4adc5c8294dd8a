// SPDX-License-Identifier: Apache-2.0
// getaddrinfo and getnameinfo, asked about numbers only: they look nothing up.
#include "http/listening.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <memory>

#include "core/text.h"

namespace volgrow::http {
namespace {

struct AddressesFree {
  void operator()(addrinfo* addresses) const { ::freeaddrinfo(addresses); }
};
using Addresses = std::unique_ptr<addrinfo, AddressesFree>;

/// getaddrinfo takes 70000 for 4464.
bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [read, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && read == text.data() + text.size();
}

struct HostAndPort {
  std::string host;
  std::string port;
};

/// Both empty when `address` is not of that form.
HostAndPort split(std::string_view address) {
  const auto colon = address.rfind(':');
  if (colon == std::string_view::npos || !is_port(address.substr(colon + 1))) return {};
  auto host = address.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  // Without brackets nobody can tell where an IPv6 address ends.
  if (!bracketed && host.find(':') != std::string_view::npos) return {};
  return {std::string(host), std::string(address.substr(colon + 1))};
}

Addresses numeric(const std::string& host, const std::string& port) {
  addrinfo wanted{};
  wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &wanted, &found) != 0) return nullptr;
  return Addresses(found);
}

Result<Fd> listen_at(const addrinfo& at, std::string_view address) {
  const auto refused = [address] {
    return system_failure(errno, fmt::format("listen on {}", printable(address)));
  };
  Fd socket(::socket(at.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return refused();
  const int yes = 1;
  const int no = 0;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (at.ai_family == AF_INET6)  // "::" takes IPv4 clients too, whatever the sysctl says
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  if (::bind(socket.get(), at.ai_addr, at.ai_addrlen) != 0) return refused();
  if (::listen(socket.get(), SOMAXCONN) != 0) return refused();
  return socket;
}

Result<Fd> listen_everywhere(const std::string& port, std::string_view address) {
  const auto both = numeric("::", port);
  auto socket = both ? listen_at(*both, address) : system_failure(EAFNOSUPPORT, "use IPv6");
  if (socket || socket.error().error_number != EAFNOSUPPORT) return socket;
  return listen_at(*numeric("0.0.0.0", port), address);
}

}  // namespace

Result<Fd> listen_on(std::string_view address) {
  const auto [host, port] = split(address);
  const auto at = port.empty() ? nullptr : numeric(host.empty() ? "0.0.0.0" : host, port);
  if (!at)
    return failure(ErrorCode::invalid_args,
                   fmt::format("{} is no address to listen on: give one like 127.0.0.1:8776, "
                               "[::1]:8776 or :8776",
                               cited(address)));
  return host.empty() ? listen_everywhere(port, address) : listen_at(*at, address);
}

Result<std::string> endpoint_of(const Fd& socket) {
  sockaddr_storage storage{};
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  socklen_t size = sizeof storage;
  if (::getsockname(socket.get(), address, &size) != 0)
    return system_failure(errno, "ask a socket for its address");
  std::array<char, NI_MAXSERV> port{};
  ::getnameinfo(address, size, nullptr, 0, port.data(), port.size(), NI_NUMERICSERV);
  const auto host = address_text(address);
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port.data())
                                             : fmt::format("[{}]:{}", host, port.data());
}

std::string address_text(const sockaddr* address) {
  const socklen_t size =
      address->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  std::array<char, NI_MAXHOST> host{};
  if (::getnameinfo(address, size, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST) != 0)
    return "unknown";
  constexpr std::string_view mapped = "::ffff:";
  const std::string_view text = host.data();
  const bool is_ipv4 = text.starts_with(mapped) && text.find('.') != std::string_view::npos;
  return std::string(is_ipv4 ? text.substr(mapped.size()) : text);
}

}  // namespace volgrow::http
