// SPDX-License-Identifier: Apache-2.0
// Where a secret comes from: a file, or whoever sits at the terminal. It is never an argument,
// which every user of the host could read.
#pragma once

#include <string>

#include "core/error.h"
#include "core/secret.h"

namespace volgrow::cli {

/// The whole file but one newline at its end. Errors: InvalidArgs; none cites what was read.
Result<Secret> read_secret_file(const std::string& path);

/// One line from the controlling terminal, which shows nothing meanwhile and is as before
/// afterwards, also when it is interrupted. Errors: InvalidArgs when there is no terminal, or
/// nothing was typed; Cancelled at Ctrl-C.
Result<Secret> ask_for_secret(const std::string& prompt);

}  // namespace volgrow::cli
