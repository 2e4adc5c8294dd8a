// SPDX-License-Identifier: Apache-2.0
// Sockets that listen, and addresses as text. Numeric addresses only: what a name means could
// change while nobody looks.
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "core/error.h"
#include "core/fd.h"

namespace volgrow::http {

/// A socket that listens on "127.0.0.1:8776", "[::1]:8776" or ":8776" (every address of the host).
/// Errors: InvalidArgs for another form; Internal with errno, for instance EADDRINUSE.
Result<Fd> listen_on(std::string_view address);

/// "127.0.0.1:8776", "[::1]:8776". Errors: Internal with errno.
Result<std::string> endpoint_of(const Fd& socket);

/// "192.0.2.1", "2001:db8::1"; an IPv4 client of an IPv6 socket is written as IPv4. "unknown" for
/// what is no internet address.
std::string address_text(const sockaddr* address);

}  // namespace volgrow::http
