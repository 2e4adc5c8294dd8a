// SPDX-License-Identifier: Apache-2.0
// getaddrinfo_a(3): the resolver works in a thread of the C library, which is left behind if it has
// not answered in time.
#include "connectors/name_lookup.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <memory>

#include "core/text.h"

namespace volgrow {
namespace {

using std::chrono::seconds;

/// What the C library holds on to until the request is over.
struct Lookup {
  std::string name;
  addrinfo hints{};
  gaicb request{};

  explicit Lookup(std::string host) : name(std::move(host)) {
    hints.ai_socktype = SOCK_STREAM;
    request.ar_name = name.c_str();
    request.ar_request = &hints;
  }
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;
  ~Lookup() {
    if (request.ar_result != nullptr) ::freeaddrinfo(request.ar_result);
  }
};

std::unexpected<Error> unknown(const std::string& host, int failed) {
  return failure(ErrorCode::unreachable,
                 fmt::format("{} has no address: {}", cited(host), ::gai_strerror(failed)));
}

bool is_address(const std::string& host) {
  std::array<char, sizeof(in6_addr)> address{};
  return ::inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         host.find(':') != std::string::npos;  // no name has a colon
}

std::vector<std::string> texts_of(const addrinfo* found) {
  std::vector<std::string> texts;
  for (; found != nullptr; found = found->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    const int failed =
        ::getnameinfo(found->ai_addr, found->ai_addrlen, text.data(),
                      static_cast<socklen_t>(text.size()), nullptr, 0, NI_NUMERICHOST);
    if (failed == 0 && std::ranges::find(texts, text.data()) == texts.end())
      texts.emplace_back(text.data());
  }
  return texts;
}

/// EAI_INPROGRESS when the deadline came first.
int wait_for(Lookup& lookup, Deadline deadline, const Clock& clock) {
  const std::array<const gaicb*, 1> waiting{&lookup.request};
  while (::gai_error(&lookup.request) == EAI_INPROGRESS) {
    const auto left = deadline.remaining(clock.now());
    if (left <= Duration::zero()) return EAI_INPROGRESS;
    const auto whole = std::chrono::duration_cast<seconds>(left);
    const timespec limit{whole.count(), std::chrono::nanoseconds(left - whole).count()};
    ::gai_suspend(waiting.data(), waiting.size(), &limit);
  }
  return ::gai_error(&lookup.request);
}

}  // namespace

Result<std::vector<std::string>> addresses_of(const std::string& host, Deadline deadline,
                                              const Clock& clock) {
  if (is_address(host)) return std::vector{host};
  auto lookup = std::make_unique<Lookup>(host);
  std::array<gaicb*, 1> requests{&lookup->request};
  const int refused = ::getaddrinfo_a(GAI_NOWAIT, requests.data(), requests.size(), nullptr);
  if (refused != 0) return unknown(host, refused);
  const int ended = wait_for(*lookup, deadline, clock);
  if (ended == 0) return texts_of(lookup->request.ar_result);
  if (ended != EAI_INPROGRESS) return unknown(host, ended);
  // A request that cannot be cancelled any more is written to when it ends: it stays where it is.
  if (::gai_cancel(&lookup->request) == EAI_NOTCANCELED) static_cast<void>(lookup.release());
  return failure(ErrorCode::timed_out,
                 fmt::format("the address of {} was not found in time", cited(host)));
}

}  // namespace volgrow
