// SPDX-License-Identifier: Apache-2.0
// What a daemon says to its operators: one sentence an event, with fields the journal can be
// searched by. Passed by reference to those who may speak; libraries do not log. Secrets never come
// here.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace volgrow {

enum class LogLevel : std::uint8_t { debug, info, warning, error };
std::string_view name_of(LogLevel level);
std::optional<LogLevel> log_level_named(std::string_view name);

/// A journal field, `journalctl VOLGROW_JOB=17`: upper-case name, any text; an empty one is left
/// out.
struct LogField {
  std::string_view name;
  std::string value;
};
using LogFields = std::initializer_list<LogField>;

namespace field {
inline constexpr std::string_view job = "VOLGROW_JOB";
inline constexpr std::string_view volume = "VOLGROW_VOLUME";
inline constexpr std::string_view error = "VOLGROW_ERROR";
inline constexpr std::string_view device = "VOLGROW_DEVICE";
inline constexpr std::string_view state = "VOLGROW_STATE";
inline constexpr std::string_view request = "VOLGROW_REQUEST";
inline constexpr std::string_view global_request = "VOLGROW_GLOBAL_REQUEST";
inline constexpr std::string_view host = "VOLGROW_HOST";
}  // namespace field

class Log {
 public:
  virtual ~Log() = default;

  void debug(std::string_view sentence, LogFields fields = {}) {
    write(LogLevel::debug, sentence, fields);
  }
  void info(std::string_view sentence, LogFields fields = {}) {
    write(LogLevel::info, sentence, fields);
  }
  void warning(std::string_view sentence, LogFields fields = {}) {
    write(LogLevel::warning, sentence, fields);
  }
  void error(std::string_view sentence, LogFields fields = {}) {
    write(LogLevel::error, sentence, fields);
  }

  /// A sentence below `least` costs nothing but the call.
  virtual void set_level(LogLevel least) = 0;
  /// Sentence and values may hold anything: they are made printable here, and only here.
  virtual void write(LogLevel level, std::string_view sentence, LogFields fields) = 0;
};

/// sd_journal_sendv(3), or a test's.
using JournalSend = std::function<int(const iovec*, int)>;

/// As `program`: to the journal, with fields, when standard error is connected to it
/// (JOURNAL_STREAM, as systemd.exec(5) asks to be checked), else to standard error as text.
std::unique_ptr<Log> open_log(const std::string& program, LogLevel least);
/// One line an event: "warning: sentence [VOLGROW_JOB=17]". The stream must outlive the log.
std::unique_ptr<Log> stream_log(std::ostream& out, LogLevel least);
std::unique_ptr<Log> journal_log(const std::string& program, JournalSend send, LogLevel least);

/// Whether `descriptor` is the stream that JOURNAL_STREAM ("device:inode") names.
bool is_journal_stream(int descriptor, const char* journal_stream);

}  // namespace volgrow
