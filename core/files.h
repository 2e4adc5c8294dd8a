// SPDX-License-Identifier: Apache-2.0
// Small whole-file reads and descriptors-to-text, for what is not sysfs (that is connectors/).
#pragma once

#include <filesystem>
#include <string>

#include "core/bytes.h"
#include "core/error.h"
#include "core/fd.h"

namespace volgrow {

/// The whole file as text. Errors: Internal with errno; more than `limit` is InvalidArgs.
Result<std::string> read_text_file(const std::filesystem::path& path, Bytes limit);
/// The same from an open descriptor, up to end of file.
Result<std::string> read_text(int fd, Bytes limit, std::string_view what);

/// An exclusive, non-blocking flock on `path` (made if missing, mode 0600); held while the Fd
/// lives. Errors: Busy when somebody else holds it.
Result<Fd> lock_file(const std::filesystem::path& path);

}  // namespace volgrow
