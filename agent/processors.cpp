// SPDX-License-Identifier: Apache-2.0
// The state is the field behind the program's name, which may itself contain parentheses.
#include "agent/processors.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>

#include "core/files.h"

namespace volgrow::agent {
namespace {

std::size_t usable() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<std::size_t>(std::max(CPU_COUNT(&set), 1));
}

bool runs(pid_t pid) {
  const auto text = read_text_file(fmt::format("/proc/{}/stat", pid), Bytes(4096));
  if (!text) return false;
  const auto name_end = text->rfind(") ");
  return name_end != std::string::npos && text->substr(name_end + 2, 1) == "R";
}

}  // namespace

Processors real_processors() {
  return {usable(), runs};
}

}  // namespace volgrow::agent
