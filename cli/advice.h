// SPDX-License-Identifier: Apache-2.0
// The daemon's and the bus's errors in the words of the command line, with what its user can do.
// The code of an error, and so the exit status, stays as it is.
#pragma once

#include "cli/session.h"
#include "core/error.h"

namespace volgrow::cli {

/// Options as they are typed instead of the bus's keys; short sentences instead of the bus's long
/// ones.
Error in_our_words(const Session& session, Error error);

/// What somebody does about not being allowed to call volgrowd.
inline constexpr const char* permission_fix =
    "run volgrow as root, or join its group (usermod -aG volgrow NAME) and log in again";

}  // namespace volgrow::cli
