// SPDX-License-Identifier: Apache-2.0
// sysfs below one directory descriptor: no path handed in can name anything outside it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/fd.h"

namespace volgrow {

class Sysfs {
 public:
  /// Errors: Internal with errno.
  static Result<Sysfs> open(const std::string& root);

  // As the methods of Host. A path that would leave the root is InvalidArgs.
  Result<std::string> read(std::string_view attribute) const;
  Result<void> write(std::string_view attribute, std::string_view text) const;
  Result<std::vector<std::string>> list(std::string_view directory) const;
  Result<std::string> canonical(std::string_view path) const;

 private:
  Sysfs(Fd root, std::string path) : root_(std::move(root)), path_(std::move(path)) {}
  Result<Fd> beneath(std::string_view path, int flags) const;

  Fd root_;
  std::string path_;  ///< of the root, as the kernel prints it
};

}  // namespace volgrow
