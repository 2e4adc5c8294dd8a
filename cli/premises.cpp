// SPDX-License-Identifier: Apache-2.0
// Files of the host, read from its root.
#include "cli/premises.h"

#include <algorithm>
#include <system_error>

#include "core/bytes.h"
#include "core/files.h"

namespace volgrow::cli {
namespace {

namespace fs = std::filesystem;

constexpr Bytes small_file = 1_MiB;

}  // namespace

Finding ok(std::string what) {
  return {{}, Health::ok, std::move(what), {}};
}
Finding warn(std::string what, std::string fix) {
  return {{}, Health::warn, std::move(what), std::move(fix)};
}
Finding fail(std::string what, std::string fix) {
  return {{}, Health::fail, std::move(what), std::move(fix)};
}

bool there(const Premises& premises, std::string_view path) {
  std::error_code ignored;
  return fs::exists(premises.root / path, ignored);
}

std::vector<std::string> names_in(const Premises& premises, std::string_view directory) {
  std::vector<std::string> names;
  std::error_code failed;
  for (fs::directory_iterator entry(premises.root / directory, failed), end;
       !failed && entry != end; entry.increment(failed))
    names.push_back(entry->path().filename().string());
  std::ranges::sort(names);
  return names;
}

std::string text_of(const Premises& premises, const fs::path& path) {
  return read_text_file(premises.root / path, small_file).value_or("");
}

}  // namespace volgrow::cli
