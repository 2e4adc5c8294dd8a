// SPDX-License-Identifier: Apache-2.0
// agent.toml to Config. One table of keys says what exists, what it may hold and where it goes;
// reading, finding unknown keys and every complaint follow from it. The only file that knows
// toml++.
#include "agent/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <string_view>
#include <variant>

#include "agent/log.h"
#include "core/files.h"
#include "core/text.h"

namespace volgrow::agent {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Bytes longest_file{std::uint64_t{1} << 20};

// ---- what a key may hold ----
// Each kind has `store` (false: no such value, or out of range) and `allowed`, the words for it.

template <class T>
using Place = T& (*)(Config&);

struct Flag {
  Place<bool> place;
};
struct Name {
  Place<std::string> place;
};
struct LevelName {
  Place<std::string> place;
};
struct DeadPathPolicy {
  Place<DeadPaths> place;
};
struct Folders {
  Place<std::vector<std::string>> place;
};
struct Span {
  Place<Duration> place;
  Duration unit, least, most;
};
struct Count {
  std::variant<Place<std::uint32_t>, Place<std::size_t>> place;
  std::int64_t least, most;
};
struct Mebibytes {
  Place<Bytes> place;
  std::int64_t least, most;
};
using Kind = std::variant<Flag, Name, LevelName, DeadPathPolicy, Folders, Span, Count, Mebibytes>;

std::optional<std::int64_t> whole_number(const toml::node& node, std::int64_t least,
                                         std::int64_t most) {
  const auto number = node.value_exact<std::int64_t>();
  return number && *number >= least && *number <= most ? number : std::nullopt;
}

bool store(const Flag& kind, const toml::node& node, Config& config) {
  const auto flag = node.value_exact<bool>();
  if (flag) kind.place(config) = *flag;
  return flag.has_value();
}
std::string allowed(const Flag&) {
  return "true or false";
}

bool store(const Name& kind, const toml::node& node, Config& config) {
  const auto text = node.value_exact<std::string>();
  if (!text || text->empty() || text->size() > 256 || printable(*text) != *text) return false;
  kind.place(config) = *text;
  return true;
}
std::string allowed(const Name&) {
  return "a name or a number, as text of 1 to 256 characters";
}

bool store(const LevelName& kind, const toml::node& node, Config& config) {
  const auto text = node.value_exact<std::string>();
  if (!text || !log_level_named(*text)) return false;
  kind.place(config) = *text;
  return true;
}
std::string allowed(const LevelName&) {
  return R"("debug", "info", "warning" or "error")";
}

bool store(const DeadPathPolicy& kind, const toml::node& node, Config& config) {
  const auto text = node.value_exact<std::string>();
  const auto policy = text ? dead_paths_named(*text) : std::nullopt;
  if (policy) kind.place(config) = *policy;
  return policy.has_value();
}
std::string allowed(const DeadPathPolicy&) {
  return R"("evict" or "wait")";
}

bool is_folder(const std::string& text) {
  const std::filesystem::path path(text);
  return path.is_absolute() && path == path.lexically_normal() && printable(text) == text;
}
bool store(const Folders& kind, const toml::node& node, Config& config) {
  const auto* list = node.as_array();
  if (!list) return false;
  std::vector<std::string> folders;
  for (const auto& entry : *list) {
    auto text = entry.value_exact<std::string>();
    if (!text || !is_folder(*text)) return false;
    folders.push_back(std::move(*text));
  }
  kind.place(config) = std::move(folders);
  return true;
}
std::string allowed(const Folders&) {
  return R"(a list of absolute paths without ".." or "//", such as ["/var/lib/volumes"])";
}

bool store(const Span& kind, const toml::node& node, Config& config) {
  const auto count = whole_number(node, kind.least / kind.unit, kind.most / kind.unit);
  if (count) kind.place(config) = *count * kind.unit;
  return count.has_value();
}
std::string allowed(const Span& kind) {
  return fmt::format("a whole number of {} from {} to {}",
                     kind.unit == seconds(1) ? "seconds" : "milliseconds", kind.least / kind.unit,
                     kind.most / kind.unit);
}

bool store(const Count& kind, const toml::node& node, Config& config) {
  const auto number = whole_number(node, kind.least, kind.most);
  if (!number) return false;
  std::visit(
      [&](auto place) {
        auto& target = place(config);
        target = static_cast<std::remove_reference_t<decltype(target)>>(*number);
      },
      kind.place);
  return true;
}
std::string allowed(const Count& kind) {
  return fmt::format("a whole number from {} to {}", kind.least, kind.most);
}

bool store(const Mebibytes& kind, const toml::node& node, Config& config) {
  const auto number = whole_number(node, kind.least, kind.most);
  if (number) kind.place(config) = Bytes(static_cast<std::uint64_t>(*number) << 20);
  return number.has_value();
}
std::string allowed(const Mebibytes& kind) {
  return fmt::format("a whole number of MiB from {} to {}", kind.least, kind.most);
}

// ---- the table ----

struct Key {
  std::string_view section;
  std::string_view name;
  Kind kind;

  std::string full_name() const { return fmt::format("{}.{}", section, name); }
};

constexpr Kind span_ms(Place<Duration> place, Duration least, Duration most) {
  return Span{place, milliseconds(1), least, most};
}
constexpr Kind span_s(Place<Duration> place, Duration least, Duration most) {
  return Span{place, seconds(1), least, most};
}
constexpr Kind count(Place<std::uint32_t> place, std::int64_t least, std::int64_t most) {
  return Count{place, least, most};
}
constexpr Kind size(Place<std::size_t> place, std::int64_t least, std::int64_t most) {
  return Count{place, least, most};
}

// NOLINTNEXTLINE(bugprone-macro-parentheses): what is given is a name, and a name it must stay.
#define VOLGROW_AT(member)  \
  [](Config & c) -> auto& { \
    return c.member;        \
  }
constexpr std::array keys{
    Key{"access", "group", Name{VOLGROW_AT(group)}},
    Key{"access", "relay_user", Name{VOLGROW_AT(relay_user)}},
    Key{"identity", "require_identity", Flag{VOLGROW_AT(require_identity)}},
    Key{"files", "roots", Folders{VOLGROW_AT(file_roots)}},
    Key{"jobs", "default_deadline_ms",
        span_ms(VOLGROW_AT(default_deadline), milliseconds(1), hours(24))},
    Key{"jobs", "longest_deadline_ms",
        span_ms(VOLGROW_AT(longest_deadline), milliseconds(1), hours(24))},
    Key{"jobs", "dead_paths", DeadPathPolicy{VOLGROW_AT(dead_paths)}},
    Key{"jobs", "dead_path_grace_ms",
        span_ms(VOLGROW_AT(limits.dead_path_grace), milliseconds(0), minutes(10))},
    Key{"jobs", "most_jobs", count(VOLGROW_AT(most_jobs), 1, 1'000'000)},
    Key{"jobs", "most_jobs_per_caller", count(VOLGROW_AT(most_jobs_per_caller), 1, 1'000'000)},
    Key{"jobs", "most_waits_per_caller", count(VOLGROW_AT(most_waits_per_caller), 1, 65'536)},
    Key{"jobs", "most_volumes", count(VOLGROW_AT(most_volumes), 1, 1'000'000)},
    Key{"jobs", "ended_job_lifetime_s",
        span_s(VOLGROW_AT(ended_job_lifetime), seconds(1), hours(24))},
    Key{"deadlines", "resolve_ms",
        span_ms(VOLGROW_AT(limits.resolve), milliseconds(1), minutes(10))},
    Key{"deadlines", "probe_ms", span_ms(VOLGROW_AT(limits.probe), milliseconds(1), minutes(10))},
    Key{"deadlines", "grow_ms", span_ms(VOLGROW_AT(limits.grow), milliseconds(1), minutes(10))},
    Key{"deadlines", "measure_ms",
        span_ms(VOLGROW_AT(limits.measure), milliseconds(1), minutes(10))},
    Key{"deadlines", "first_retry_ms",
        span_ms(VOLGROW_AT(limits.first_retry), milliseconds(1), minutes(1))},
    Key{"deadlines", "slowest_retry_ms",
        span_ms(VOLGROW_AT(limits.slowest_retry), milliseconds(1), minutes(1))},
    Key{"workers", "most", size(VOLGROW_AT(workers.most), 1, 1024)},
    Key{"workers", "kept", size(VOLGROW_AT(workers.kept), 0, 1024)},
    Key{"workers", "idle_time_ms",
        span_ms(VOLGROW_AT(workers.idle_time), milliseconds(0), hours(1))},
    Key{"events", "uevent_buffer_mib", Mebibytes{VOLGROW_AT(uevent_buffer), 1, 1024}},
    Key{"log", "level", LevelName{VOLGROW_AT(log_level)}},
};
#undef VOLGROW_AT

// ---- suggestions ----

/// Levenshtein's distance: how many letters to insert, delete or replace.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({replaced, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row.back();
}

std::vector<std::string_view> sections() {
  std::vector<std::string_view> names;
  for (const auto& key : keys)
    if (names.empty() || names.back() != key.section) names.push_back(key.section);
  return names;
}

std::vector<std::string_view> names_in(std::string_view section) {
  std::vector<std::string_view> names;
  for (const auto& key : keys)
    if (key.section == section) names.push_back(key.name);
  return names;
}

/// The section a key of that very name belongs to, when it stands in another.
std::optional<std::string> at_home(std::string_view name) {
  for (const auto& key : keys)
    if (key.name == name) return key.full_name();
  return std::nullopt;
}

std::string did_you_mean(std::string_view name) {
  return fmt::format("did you mean '{}'?", name);
}

/// The nearest name after a slip of a few letters, else all there are.
std::string suggestion(std::string_view typed, const std::vector<std::string_view>& known) {
  const auto nearest =
      std::ranges::min(known, {}, [&](std::string_view name) { return distance(typed, name); });
  if (distance(typed, nearest) <= 1 + typed.size() / 3) return did_you_mean(nearest);
  return fmt::format("known are {}", fmt::join(known, ", "));
}

std::string suggestion_for_key(std::string_view section, std::string_view name) {
  if (auto home = at_home(name)) return did_you_mean(*home);
  return suggestion(name, names_in(section));
}

// ---- reading ----

class Reading {
 public:
  explicit Reading(std::string_view source) : source_(source) {}

  Result<Config> read(const toml::table& root) {
    for (const auto& [name, node] : root)
      if (auto done = read_section(name, node); !done) return std::unexpected(done.error());
    return std::move(config_);
  }

  std::unexpected<Error> wrong(const toml::source_region& where, std::string_view what) const {
    return failure(ErrorCode::invalid_args,
                   fmt::format("{}:{}: {}", source_, where.begin.line, what));
  }

 private:
  Result<void> read_section(const toml::key& section, const toml::node& node) {
    if (names_in(section.str()).empty()) return unknown_section(section, node.is_table());
    const auto* table = node.as_table();
    if (!table)
      return wrong(section.source(), fmt::format("'{0}' must be a section: [{0}]", section.str()));
    for (const auto& [name, value] : *table)
      if (auto done = read_key(section.str(), name, value); !done) return done;
    return {};
  }

  std::unexpected<Error> unknown_section(const toml::key& name, bool is_section) const {
    const auto home = is_section ? std::nullopt : at_home(name.str());
    return wrong(
        name.source(),
        fmt::format("unknown {} '{}'; {}", is_section ? "section" : "key", printable(name.str()),
                    home ? did_you_mean(*home) : suggestion(name.str(), sections())));
  }

  Result<void> read_key(std::string_view section, const toml::key& name, const toml::node& value) {
    const auto* key = std::ranges::find_if(keys, [&](const Key& known) {
      return known.section == section && known.name == name.str();
    });
    if (key == keys.end())
      return wrong(name.source(),
                   fmt::format("unknown key '{}.{}'; {}", section, printable(name.str()),
                               suggestion_for_key(section, name.str())));
    const bool stored =
        std::visit([&](const auto& kind) { return store(kind, value, config_); }, key->kind);
    if (stored) return {};
    return wrong(
        name.source(),
        fmt::format("'{}' must be {}", key->full_name(),
                    std::visit([](const auto& kind) { return allowed(kind); }, key->kind)));
  }

  std::string_view source_;
  Config config_;
};

/// Keys that are right each by itself and wrong together.
Result<Config> checked(Config config, std::string_view source) {
  struct Rule {
    bool holds;
    std::string_view sentence;
  };
  const std::array rules{
      Rule{config.default_deadline <= config.longest_deadline,
           "'jobs.default_deadline_ms' must not exceed 'jobs.longest_deadline_ms'"},
      Rule{config.limits.first_retry <= config.limits.slowest_retry,
           "'deadlines.first_retry_ms' must not exceed 'deadlines.slowest_retry_ms'"},
      Rule{config.workers.kept <= config.workers.most,
           "'workers.kept' must not exceed 'workers.most'"},
      Rule{config.most_jobs_per_caller <= config.most_jobs,
           "'jobs.most_jobs_per_caller' must not exceed 'jobs.most_jobs'"},
  };
  for (const auto& rule : rules)
    if (!rule.holds)
      return failure(ErrorCode::invalid_args, fmt::format("{}: {}", source, rule.sentence));
  return config;
}

}  // namespace

Result<Config> parse_config(std::string_view toml, std::string_view source_name) {
  Reading reading(source_name);
  try {
    auto config = reading.read(toml::parse(toml, source_name));
    if (!config) return config;
    return checked(std::move(*config), source_name);
  } catch (const toml::parse_error& error) {
    return reading.wrong(error.source(), printable(error.description()));
  }
}

Result<Config> read_config(const std::filesystem::path& path) {
  std::error_code unreadable;
  if (std::filesystem::exists(path, unreadable) &&
      !std::filesystem::is_regular_file(path, unreadable))
    return failure(ErrorCode::invalid_args, fmt::format("{}: not a regular file", path.native()));
  auto text = read_text_file(path, longest_file);
  if (!text) return std::unexpected(std::move(text.error()));
  return parse_config(*text, path.native());
}

}  // namespace volgrow::agent
