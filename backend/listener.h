// SPDX-License-Identifier: Apache-2.0
// The listening socket: the service manager's (sd_listen_fds(3)), or one of our own.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

#include "core/error.h"
#include "core/fd.h"

namespace volgrow::backend {

/// The one that was handed to this program; an empty Fd when none was. Errors: InvalidArgs when
/// several were, or another kind of socket.
Result<Fd> inherited_listener();

/// A new one that root and `user` may connect to. What a killed predecessor left there is replaced.
/// Errors: Busy while another program listens there; Internal.
Result<Fd> bind_listener(const std::filesystem::path& path, std::optional<uid_t> user);

/// The uid of a user given by name or number; nullopt: there is none.
std::optional<uid_t> uid_of(const std::string& user);

}  // namespace volgrow::backend
