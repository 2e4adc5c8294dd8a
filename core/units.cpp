// SPDX-License-Identifier: Apache-2.0
// Units at the edge of the program: what people type becomes Bytes, Duration and WallTime, and
// back.
#include "core/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "core/text.h"

namespace volgrow {
namespace {

struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};

constexpr std::uint64_t thousand = 1000;

constexpr std::array size_units{
    Unit{"", 1},
    Unit{"K", 1ULL << 10},
    Unit{"KiB", 1ULL << 10},
    Unit{"KB", thousand},
    Unit{"M", 1ULL << 20},
    Unit{"MiB", 1ULL << 20},
    Unit{"MB", thousand* thousand},
    Unit{"G", 1ULL << 30},
    Unit{"GiB", 1ULL << 30},
    Unit{"GB", thousand* thousand* thousand},
    Unit{"T", 1ULL << 40},
    Unit{"TiB", 1ULL << 40},
    Unit{"TB", thousand* thousand* thousand* thousand},
    Unit{"P", 1ULL << 50},
    Unit{"PiB", 1ULL << 50},
    Unit{"PB", thousand* thousand* thousand* thousand* thousand},
};

/// In microseconds.
constexpr std::array time_units{
    Unit{"", 1'000'000},  Unit{"us", 1},           Unit{"ms", 1'000},
    Unit{"s", 1'000'000}, Unit{"min", 60'000'000}, Unit{"h", 3'600'000'000},
};

/// Far beyond any sensible deadline, and small enough to be added to any clock without overflow.
constexpr std::uint64_t longest_span = 100ULL * 365 * 24 * 3'600'000'000;

/// `text` as digits and one of `units`, multiplied out; nullopt for all else and beyond `most`.
template <std::size_t N>
std::optional<std::uint64_t> scaled(std::string_view text, const std::array<Unit, N>& units,
                                    std::uint64_t most) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const auto suffix = text.substr(static_cast<std::size_t>(end - text.data()));
  const auto* unit = std::ranges::find(units, suffix, &Unit::suffix);
  if (unit == units.end() || number > most / unit->factor) return std::nullopt;
  return number * unit->factor;
}

/// "1.5", "20": two decimals, no trailing zeros. Rounded down, so that nothing looks bigger than it
/// is.
std::string hundredths(std::uint64_t count) {
  if (count % 100 == 0) return fmt::format("{}", count / 100);
  if (count % 10 == 0) return fmt::format("{}.{}", count / 100, count / 10 % 10);
  return fmt::format("{}.{:02}", count / 100, count % 100);
}

std::string one_decimal_below_ten(std::uint64_t count, std::uint64_t unit) {
  const auto tenths = count * 10 / unit;
  if (tenths >= 100 || tenths % 10 == 0) return fmt::format("{}", tenths / 10);
  return fmt::format("{}.{}", tenths / 10, tenths % 10);
}

/// "2 min 5 s", "3 h".
std::string two_units(std::uint64_t big, std::string_view big_name, std::uint64_t small,
                      std::string_view small_name) {
  if (small == 0) return fmt::format("{} {}", big, big_name);
  return fmt::format("{} {} {} {}", big, big_name, small, small_name);
}

/// The decimal number that is all of `text`.
template <class T>
bool read_digits(std::string_view text, T& number) {
  const bool digits =
      !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  const auto* end = text.data() + text.size();
  return digits && std::from_chars(text.data(), end, number).ec == std::errc();
}

struct CalendarTime {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int microsecond = 0;
};

std::optional<CalendarTime> read_calendar(std::string_view text) {
  constexpr std::string_view form = "0000-00-00T00:00:00.000000Z";
  if (text.size() != form.size()) return std::nullopt;
  for (std::size_t i = 0; i < form.size(); ++i)
    if (form[i] != '0' && form[i] != text[i]) return std::nullopt;
  CalendarTime t;
  const bool read =
      read_digits(text.substr(0, 4), t.year) && read_digits(text.substr(5, 2), t.month) &&
      read_digits(text.substr(8, 2), t.day) && read_digits(text.substr(11, 2), t.hour) &&
      read_digits(text.substr(14, 2), t.minute) && read_digits(text.substr(17, 2), t.second) &&
      read_digits(text.substr(20, 6), t.microsecond);
  const bool in_range = t.hour < 24 && t.minute < 60 && t.second < 60;
  return read && in_range ? std::optional(t) : std::nullopt;
}

std::chrono::year_month_day date(int year, unsigned month, unsigned day) {
  return {std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
}

}  // namespace

Result<Bytes> parse_size(std::string_view text) {
  const auto count = scaled(text, size_units, std::numeric_limits<std::uint64_t>::max());
  if (count) return Bytes(*count);
  return failure(ErrorCode::invalid_args,
                 fmt::format("{} is no size; write bytes (21474836480), 20G or 20GiB (binary) or "
                             "20GB (decimal), with K, M, G, T or P, below 16 EiB",
                             cited(text)));
}

std::string human_size(Bytes size) {
  constexpr std::array<std::string_view, 7> names{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  while (unit + 1 < names.size() && (size.count() >> (10 * (unit + 1))) != 0)
    ++unit;
  const auto shift = 10 * unit;
  const auto whole = size.count() >> shift;
  const auto rest = size.count() - (whole << shift);
  // Divided before it is multiplied where the product would not fit (EiB).
  const auto part = unit < 6 ? (rest * 100) >> shift : ((rest >> 10) * 100) >> (shift - 10);
  return fmt::format("{} {}", hundredths(whole * 100 + part), names.at(unit));
}

std::string exact_size(Bytes size) {
  return fmt::format("{} ({} bytes)", human_size(size), size.count());
}

Result<Duration> parse_duration(std::string_view text) {
  if (const auto count = scaled(text, time_units, longest_span))
    return Duration(static_cast<Duration::rep>(*count));
  return failure(ErrorCode::invalid_args,
                 fmt::format("{} is no time span; write 30s, 500ms, 2min or 1h; a bare number is "
                             "seconds",
                             cited(text)));
}

std::string human_duration(Duration span) {
  const auto us = static_cast<std::uint64_t>(std::max(Duration::zero(), span).count());
  if (us < 1'000) return fmt::format("{} us", us);
  if (us < 1'000'000) return fmt::format("{} ms", one_decimal_below_ten(us, 1'000));
  const auto seconds = us / 1'000'000;
  if (seconds < 60) return fmt::format("{} s", one_decimal_below_ten(us, 1'000'000));
  if (seconds < 3600) return two_units(seconds / 60, "min", seconds % 60, "s");
  return two_units(seconds / 3600, "h", seconds / 60 % 60, "min");
}

std::string utc_timestamp(WallTime time) {
  // Four digits of year are the format; a clock outside them is broken and must not break it.
  const WallTime first = std::chrono::sys_days(date(0, 1, 1));
  const WallTime after = std::chrono::sys_days(date(10000, 1, 1));
  const auto shown = std::clamp(time, first, after - Duration(1));
  const auto midnight = std::chrono::floor<std::chrono::days>(shown);
  const std::chrono::year_month_day day(midnight);
  const std::chrono::hh_mm_ss clock(shown - midnight);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(day.year()),
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

Result<WallTime> parse_utc_timestamp(std::string_view text) {
  const auto t = read_calendar(text);
  const auto day = t ? date(t->year, t->month, t->day) : std::chrono::year_month_day();
  if (!t || !day.ok())
    return failure(
        ErrorCode::invalid_args,
        fmt::format("{} is no time; expected 2026-01-01T00:00:00.000000Z, in UTC", cited(text)));
  return WallTime(std::chrono::sys_days(day)) + std::chrono::hours(t->hour) +
         std::chrono::minutes(t->minute) + std::chrono::seconds(t->second) +
         Duration(t->microsecond);
}

}  // namespace volgrow
