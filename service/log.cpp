// SPDX-License-Identifier: Apache-2.0
// The log on spdlog, with a sink of our own for the journal: spdlog's sends no custom fields.
#include "service/log.h"

#include <fmt/format.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/ostream_sink.h>
#include <sys/stat.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <vector>

#include "core/text.h"

namespace volgrow {
namespace {

struct LevelRow {
  LogLevel level;
  std::string_view name;
  spdlog::level::level_enum for_spdlog;
};

constexpr std::array level_rows{
    LevelRow{LogLevel::debug, "debug", spdlog::level::debug},
    LevelRow{LogLevel::info, "info", spdlog::level::info},
    LevelRow{LogLevel::warning, "warning", spdlog::level::warn},
    LevelRow{LogLevel::error, "error", spdlog::level::err},
};

const LevelRow& row_of(LogLevel level) {
  return level_rows.at(static_cast<std::size_t>(level));
}

int syslog_priority(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug:
      return LOG_DEBUG;
    case spdlog::level::info:
      return LOG_INFO;
    case spdlog::level::warn:
      return LOG_WARNING;
    case spdlog::level::err:
      return LOG_ERR;
    case spdlog::level::critical:
      return LOG_CRIT;
    case spdlog::level::off:
    case spdlog::level::n_levels:
      break;
  }
  return LOG_NOTICE;
}

std::string_view view_of(const spdlog::string_view_t& text) {
  return {text.data(), text.size()};
}

/// Turns one event into journal fields. spdlog's message has no room for fields of ours, so they
/// wait here while the logger runs; the log belongs to the loop's thread alone.
class JournalSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  JournalSink(std::string_view program, JournalSend send)
      : identifier_(fmt::format("SYSLOG_IDENTIFIER={}", program)), send_(std::move(send)) {}

  void next_fields(LogFields fields) {
    fields_.clear();
    for (const auto& [name, value] : fields)
      if (!value.empty()) fields_.push_back(fmt::format("{}={}", name, printable(value)));
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    auto entry = std::move(fields_);
    fields_.clear();
    entry.push_back(fmt::format("MESSAGE={}", printable(view_of(message.payload))));
    entry.push_back(fmt::format("PRIORITY={}", syslog_priority(message.level)));
    entry.push_back(identifier_);
    std::vector<iovec> parts;
    for (auto& text : entry)
      parts.push_back({text.data(), text.size()});
    send_(parts.data(), static_cast<int>(parts.size()));  // who logs cannot mend a lost journal
  }
  void flush_() override {}

 private:
  std::string identifier_;
  JournalSend send_;
  std::vector<std::string> fields_;
};

/// Has one sink and no name in spdlog's registry: nothing about this log is global.
class SinkLog : public Log {
 public:
  SinkLog(spdlog::sink_ptr sink, LogLevel least) : logger_({}, std::move(sink)) {
    logger_.flush_on(spdlog::level::trace);
    SinkLog::set_level(least);
  }

  void set_level(LogLevel least) final { logger_.set_level(row_of(least).for_spdlog); }

 protected:
  bool wants(LogLevel level) const { return logger_.should_log(row_of(level).for_spdlog); }
  void log(LogLevel level, std::string_view text) {
    logger_.log(row_of(level).for_spdlog, spdlog::string_view_t(text.data(), text.size()));
  }
  spdlog::logger& logger() { return logger_; }

 private:
  spdlog::logger logger_;
};

class StreamLog final : public SinkLog {
 public:
  StreamLog(std::ostream& out, LogLevel least)
      : SinkLog(std::make_shared<spdlog::sinks::ostream_sink_st>(out), least) {
    logger().set_pattern("%v");
  }

  void write(LogLevel level, std::string_view sentence, LogFields fields) override {
    if (!wants(level)) return;
    auto line = fmt::format("{}: {}", name_of(level), printable(sentence));
    std::string known;
    for (const auto& [name, value] : fields)
      if (!value.empty())
        known += fmt::format("{}{}={}", known.empty() ? "" : " ", name, printable(value));
    if (!known.empty()) line += fmt::format(" [{}]", known);
    log(level, line);
  }
};

class JournalLog final : public SinkLog {
 public:
  JournalLog(std::shared_ptr<JournalSink> sink, LogLevel least)
      : SinkLog(sink, least), sink_(std::move(sink)) {}

  void write(LogLevel level, std::string_view sentence, LogFields fields) override {
    if (!wants(level)) return;
    sink_->next_fields(fields);
    log(level, sentence);
  }

 private:
  std::shared_ptr<JournalSink> sink_;
};

}  // namespace

std::string_view name_of(LogLevel level) {
  return row_of(level).name;
}

std::optional<LogLevel> log_level_named(std::string_view name) {
  for (const auto& row : level_rows)
    if (row.name == name) return row.level;
  return std::nullopt;
}

bool is_journal_stream(int descriptor, const char* journal_stream) {
  struct stat status {};
  if (journal_stream == nullptr || ::fstat(descriptor, &status) != 0) return false;
  return fmt::format("{}:{}", status.st_dev, status.st_ino) == journal_stream;
}

std::unique_ptr<Log> stream_log(std::ostream& out, LogLevel least) {
  return std::make_unique<StreamLog>(out, least);
}

std::unique_ptr<Log> journal_log(const std::string& program, JournalSend send, LogLevel least) {
  return std::make_unique<JournalLog>(std::make_shared<JournalSink>(program, std::move(send)),
                                      least);
}

std::unique_ptr<Log> open_log(const std::string& program, LogLevel least) {
  // The environment is read before any thread exists.
  if (is_journal_stream(STDERR_FILENO, std::getenv("JOURNAL_STREAM")))
    return journal_log(program, sd_journal_sendv, least);
  return stream_log(std::cerr, least);
}

}  // namespace volgrow
