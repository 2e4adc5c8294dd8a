// SPDX-License-Identifier: Apache-2.0
// Lines "KEY = VALUE", "KEY -> TARGET", "KEY ! ERRNO" and "KEY/" in sections; a value of several
// lines follows on lines that begin with '|'.
#include "tests/fakes/capture.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

namespace volgrow {
namespace {

constexpr std::string_view first_line = "volgrow capture 1";

enum class Mark { equals, leads_to, fails, folder };

struct Line {
  std::size_t number = 0;
  std::string section;
  std::string key;
  Mark mark = Mark::equals;
  std::string value;
};

std::unexpected<Error> bad(std::size_t number, std::string_view problem) {
  return failure(ErrorCode::invalid_args, fmt::format("line {}: {}", number, problem));
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

template <class N>
std::optional<N> number_in(std::string_view text, int radix = 10) {
  N number = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, number, radix);
  return failed == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

/// "\x20" is a blank; nothing else is escaped in another way.
std::string unescaped(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    const auto code = text.starts_with("\\x") ? number_in<unsigned char>(text.substr(2, 2), 16)
                                              : std::optional<unsigned char>();
    plain.push_back(code ? static_cast<char>(*code) : text.front());
    text.remove_prefix(code ? 4 : 1);
  }
  return plain;
}

Result<Line> parse_line(std::size_t number, const std::string& section, std::string_view text) {
  struct Separator {
    std::string_view text;
    Mark mark;
  };
  constexpr std::array separators{Separator{" =", Mark::equals}, Separator{" -> ", Mark::leads_to},
                                  Separator{" ! ", Mark::fails}};
  const auto first = std::ranges::min_element(
      separators, {}, [&](const Separator& one) { return text.find(one.text); });
  const auto at = text.find(first->text);
  if (at != std::string_view::npos) {
    auto value = text.substr(at + first->text.size());
    if (first->mark == Mark::equals && value.starts_with(' ')) value.remove_prefix(1);
    return Line{number, section, unescaped(text.substr(0, at)), first->mark, unescaped(value)};
  }
  if (!text.ends_with('/')) return bad(number, "is no entry of a capture");
  return Line{number, section, unescaped(text.substr(0, text.size() - 1)), Mark::folder, {}};
}

/// The text of a value's first line comes on the line after its key.
bool go_on(std::vector<Line>& lines, std::string_view text, bool& begun) {
  if (lines.empty() || lines.back().mark != Mark::equals) return false;
  auto& value = lines.back().value;
  if (begun) value.push_back('\n');
  begun = true;
  value += unescaped(text.substr(std::min<std::size_t>(text.size(), 2)));
  return true;
}

Result<std::vector<Line>> lines_of(std::string_view text, std::string& mountinfo) {
  std::vector<Line> lines;
  std::string section;
  std::size_t number = 0;
  bool begun = false;
  for (const auto line : split(text, '\n')) {
    ++number;
    if (number == 1 || line.empty() || line.starts_with('#')) continue;
    if (line.starts_with('|')) {
      if (!go_on(lines, line, begun)) return bad(number, "belongs to no value");
      continue;
    }
    begun = false;
    if (line.starts_with('[')) {
      section = line;
    } else if (section == "[mounts]") {
      mountinfo += std::string(line) + "\n";
    } else {
      auto parsed = parse_line(number, section, line);
      if (!parsed) return std::unexpected(std::move(parsed.error()));
      lines.push_back(std::move(*parsed));
    }
  }
  return lines;
}

Result<Capture::Entry> entry_of(const Line& line) {
  switch (line.mark) {
    case Mark::folder:
      return Capture::Folder{};
    case Mark::leads_to:
      return Capture::Link{line.value};
    case Mark::equals:
      return Capture::Attribute{line.value};
    case Mark::fails:
      break;
  }
  const auto error_number = number_in<int>(line.value);
  if (!error_number) return bad(line.number, "has no error number");
  return Capture::Unreadable{*error_number};
}

/// "8:16"
std::optional<FileStatus> node_in(const std::string& text) {
  const auto colon = std::min(text.find(':'), text.size() - 1);
  const auto high = number_in<unsigned>(std::string_view(text).substr(0, colon));
  const auto low = number_in<unsigned>(std::string_view(text).substr(colon + 1));
  if (!high || !low) return std::nullopt;
  FileStatus status;
  status.device_number = makedev(*high, *low);
  status.mode = S_IFBLK | 0660;
  return status;
}

/// "SIZE DEVICE INODE"
std::optional<FileStatus> file_in(const std::string& text) {
  std::vector<std::uint64_t> numbers;
  for (const auto word : split(text, ' '))
    if (const auto number = number_in<std::uint64_t>(word)) numbers.push_back(*number);
  if (numbers.size() != 3) return std::nullopt;
  return FileStatus{numbers[1], numbers[2], Bytes(numbers[0]), 0, S_IFREG | 0644};
}

Result<void> take(Capture& capture, const Line& line) {
  if (line.section == "[sysfs]") {
    auto entry = entry_of(line);
    if (!entry) return std::unexpected(std::move(entry.error()));
    capture.sysfs[line.key] = std::move(*entry);
    return {};
  }
  const bool is_file = line.section == "[dev]" || line.section == "[files]";
  if (is_file && line.mark == Mark::leads_to) {
    capture.links[line.key] = line.value;
    return {};
  }
  if (line.mark != Mark::equals) return bad(line.number, "has no value");
  if (line.section == "[multipathd]") {
    capture.multipathd[line.key] = line.value;
    return {};
  }
  if (!is_file) return bad(line.number, fmt::format("is in no section known: '{}'", line.section));
  const auto status = line.section == "[dev]" ? node_in(line.value) : file_in(line.value);
  if (!status) return bad(line.number, "is neither a device number nor the status of a file");
  capture.files[line.key] = *status;
  return {};
}

}  // namespace

Result<Capture> parse_capture(std::string_view text) {
  if (text.substr(0, text.find('\n')) != first_line)
    return bad(1, fmt::format("is not '{}'", first_line));
  Capture capture;
  const auto lines = lines_of(text, capture.mountinfo);
  if (!lines) return std::unexpected(lines.error());
  for (const auto& line : *lines)
    if (auto done = take(capture, line); !done) return std::unexpected(std::move(done.error()));
  return capture;
}

}  // namespace volgrow
