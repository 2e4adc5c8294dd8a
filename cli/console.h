// SPDX-License-Identifier: Apache-2.0
// Where the CLI writes and how it colours. Nothing here knows about volumes.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "core/error.h"

namespace volgrow::cli {

struct Console {
  std::ostream& out;
  std::ostream& err;
  bool out_terminal = false;
  bool err_terminal = false;
};

/// Call it first. A standard stream that is closed would become the first file or socket that is
/// opened, and what is printed would go there; what takes its place fails as a closed one does.
void occupy_standard_streams();

enum class Color : std::uint8_t { plain, strong, faint, good, warning, bad };

/// Wraps text in a colour, or leaves it alone when colours are off.
class Paint {
 public:
  explicit Paint(bool on) : on_(on) {}
  std::string operator()(Color color, std::string_view text) const;

 private:
  bool on_;
};

Color color_of(JobState state);

/// One sentence on standard error: "volgrow: <message> (WwidMismatch)", control characters escaped.
void print_error(std::ostream& err, const Error& error);

/// One line on a terminal's standard error that is overwritten as a job goes on, and gone at its
/// end.
class ProgressLine {
 public:
  /// Shows nothing at all when `shown` is false.
  ProgressLine(std::ostream& err, bool shown) : err_(err), shown_(shown) {}
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() { clear(); }

  bool shown() const { return shown_; }
  void show(std::string_view text);
  void clear();

 private:
  std::ostream& err_;
  bool shown_;
  bool dirty_ = false;
};

}  // namespace volgrow::cli
