// SPDX-License-Identifier: Apache-2.0
// Colours as SGR sequences, errors as sentences, the progress line.
#include "cli/console.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "core/text.h"

namespace volgrow::cli {
namespace {

std::string_view sequence_of(Color color) {
  switch (color) {
    case Color::plain:
      return "";
    case Color::strong:
      return "\x1b[1m";
    case Color::faint:
      return "\x1b[2m";
    case Color::good:
      return "\x1b[32m";
    case Color::warning:
      return "\x1b[33m";
    case Color::bad:
      return "\x1b[31m";
  }
  return "";
}

}  // namespace

void occupy_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) < 0)
      ::open("/dev/null", (stream == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
}

std::string Paint::operator()(Color color, std::string_view text) const {
  if (!on_ || color == Color::plain || text.empty()) return std::string(text);
  return fmt::format("{}{}\x1b[0m", sequence_of(color), text);
}

Color color_of(JobState state) {
  switch (state) {
    case JobState::complete:
    case JobState::unchanged:
      return Color::good;
    case JobState::running:
      return Color::strong;
    case JobState::degraded:
    case JobState::cancelled:
      return Color::warning;
    case JobState::refused:
    case JobState::failed:
    case JobState::timed_out:
      return Color::bad;
  }
  return Color::plain;
}

void print_error(std::ostream& err, const Error& error) {
  // A usage error's name tells an operator nothing that its sentence does not.
  const auto name = error.code == ErrorCode::invalid_args
                        ? std::string()
                        : fmt::format(" ({})", name_of(error.code));
  err << fmt::format("volgrow: {}{}\n", printable(error.message), name);
}

void ProgressLine::show(std::string_view text) {
  if (!shown_) return;
  err_ << "\r\x1b[K" << printable(text) << std::flush;
  dirty_ = true;
}

void ProgressLine::clear() {
  if (!dirty_) return;
  err_ << "\r\x1b[K" << std::flush;
  dirty_ = false;
}

}  // namespace volgrow::cli
