// SPDX-License-Identifier: Apache-2.0
// A settings file as a table of keys: what exists, what it may hold and where it goes. Reading,
// finding unknown keys, suggesting the right ones and every complaint follow from the table. What a
// key means belongs to the program whose file it is.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/error.h"

namespace volgrow::settings {

struct Node;
/// A name where it stands in the file.
struct Name {
  std::string text;
  std::uint32_t line = 0;
};
using Table = std::vector<std::pair<Name, Node>>;
using List = std::vector<Node>;

/// A value of the file. A date or a time is none of ours: it is monostate, which no key takes.
struct Node {
  using Choice = std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Table>;

  // Written out for clang, our second compiler: of an aggregate that holds pairs of itself it wants
  // to know whether a pair can be made before there is one.
  Node() = default;
  explicit Node(Choice value) : data(std::move(value)) {}

  Choice data;

  template <class T>
  const T* as() const {
    return std::get_if<T>(&data);
  }
};

/// Errors: InvalidArgs "agent.toml:12: …", when the text is no TOML.
Result<Table> parse_toml(std::string_view toml, std::string_view source_name);
/// The file's text. Errors: InvalidArgs when it is no regular file, or longer than 1 MiB; Internal
/// with errno when it cannot be read.
Result<std::string> read_settings_file(const std::filesystem::path& path);

/// "agent.toml:12: what".
std::unexpected<Error> wrong_at(std::string_view source, std::uint32_t line, std::string_view what);

/// "did you mean 'x'?" after a slip of a few letters, else "known are …".
std::string suggestion(std::string_view typed, const std::vector<std::string_view>& known);
std::string did_you_mean(std::string_view name);

/// Where in a Settings a value goes.
template <class Settings, class T>
using Place = T& (*)(Settings&);

/// A kind of value. `store` is false, and nothing stored, when the node holds no such value or one
/// out of range; `allowed` says in words what does.
template <class Settings>
struct Kind {
  std::function<bool(const Node&, Settings&)> store;
  std::string allowed;
};

// ---- kinds: each reads a node into a value, or does not ----

bool read(const Node& node, bool& value);
/// 1 to 256 printable characters.
bool read_name(const Node& node, std::string& value);
/// An absolute path without "..", "//" and control characters.
bool read_path(const Node& node, std::string& value);
bool read_paths(const Node& node, std::vector<std::string>& value);
bool read_level(const Node& node, std::string& value);
bool read_number(const Node& node, std::int64_t least, std::int64_t most, std::int64_t& value);

inline constexpr std::string_view allowed_flag = "true or false";
inline constexpr std::string_view allowed_name =
    "a name or a number, as text of 1 to 256 characters";
inline constexpr std::string_view allowed_path = R"(an absolute path without ".." or "//")";
inline constexpr std::string_view allowed_paths =
    R"(a list of absolute paths without ".." or "//", such as ["/var/lib/volumes"])";
inline constexpr std::string_view allowed_level = R"("debug", "info", "warning" or "error")";
std::string allowed_number(std::int64_t least, std::int64_t most, std::string_view unit = {});

/// `read_value` into the place, and nothing when it does not like the node.
template <class S, class T, class ReadValue>
Kind<S> kind_of(Place<S, T> place, std::string_view allowed, ReadValue read_value) {
  return {[=](const Node& node, S& into) {
            T value{};
            const bool right = read_value(node, value);
            if (right) place(into) = std::move(value);
            return right;
          },
          std::string(allowed)};
}

template <class S>
Kind<S> flag(Place<S, bool> place) {
  return kind_of<S, bool>(place, allowed_flag, read);
}
template <class S>
Kind<S> name(Place<S, std::string> place) {
  return kind_of<S, std::string>(place, allowed_name, read_name);
}
template <class S>
Kind<S> path(Place<S, std::string> place) {
  return kind_of<S, std::string>(place, allowed_path, read_path);
}
template <class S>
Kind<S> paths(Place<S, std::vector<std::string>> place) {
  return kind_of<S, std::vector<std::string>>(place, allowed_paths, read_paths);
}
template <class S>
Kind<S> log_level(Place<S, std::string> place) {
  return kind_of<S, std::string>(place, allowed_level, read_level);
}

/// A whole number of `unit`s between two values, each times `unit`.
template <class S, class T>
Kind<S> number(Place<S, T> place, std::int64_t least, std::int64_t most) {
  return kind_of<S, T>(place, allowed_number(least, most), [=](const Node& node, T& value) {
    std::int64_t count = 0;
    const bool right = read_number(node, least, most, count);
    if (right) value = static_cast<T>(count);
    return right;
  });
}
template <class S>
Kind<S> span(Place<S, Duration> place, Duration unit, Duration least, Duration most) {
  const auto word = unit == std::chrono::seconds(1) ? "seconds" : "milliseconds";
  return kind_of<S, Duration>(place, allowed_number(least / unit, most / unit, word),
                              [=](const Node& node, Duration& value) {
                                std::int64_t count = 0;
                                const bool right =
                                    read_number(node, least / unit, most / unit, count);
                                if (right) value = count * unit;
                                return right;
                              });
}
template <class S>
Kind<S> span_ms(Place<S, Duration> place, Duration least, Duration most) {
  return span<S>(place, std::chrono::milliseconds(1), least, most);
}
template <class S>
Kind<S> span_s(Place<S, Duration> place, Duration least, Duration most) {
  return span<S>(place, std::chrono::seconds(1), least, most);
}
template <class S>
Kind<S> mebibytes(Place<S, Bytes> place, std::int64_t least, std::int64_t most) {
  return kind_of<S, Bytes>(place, allowed_number(least, most, "MiB"),
                           [=](const Node& node, Bytes& value) {
                             std::int64_t count = 0;
                             const bool right = read_number(node, least, most, count);
                             if (right) value = Bytes(static_cast<std::uint64_t>(count) << 20);
                             return right;
                           });
}
/// One of an enum's names, as `named` knows them.
template <class S, class E, class NamedAs>
Kind<S> word(Place<S, E> place, std::string_view allowed, NamedAs named) {
  return kind_of<S, E>(place, allowed, [=](const Node& node, E& value) {
    const auto* text = node.as<std::string>();
    const auto known = text ? named(*text) : std::nullopt;
    if (known) value = *known;
    return known.has_value();
  });
}

// NOLINTNEXTLINE(bugprone-macro-parentheses): what is given is a name, and a name it must stay.
#define VOLGROW_AT(Settings, member) \
  [](Settings & s) -> auto& {        \
    return s.member;                 \
  }

// ---- the table of keys, and reading by it ----

template <class Settings>
struct Key {
  std::string_view section;
  std::string_view name;
  Kind<Settings> kind;

  std::string full_name() const {
    return std::string(section) + (section.empty() ? "" : ".") + std::string(name);
  }
};

/// What is known of a key apart from where it goes: enough to complain.
struct KnownKey {
  std::string_view section, name;
};

/// The sentences of complaints about names nobody knows.
std::unexpected<Error> unknown_key(std::string_view source, std::string_view section,
                                   const Name& name, const std::vector<KnownKey>& known);
std::unexpected<Error> unknown_section(std::string_view source, const Name& name, bool is_section,
                                       const std::vector<KnownKey>& known);
std::unexpected<Error> not_a_section(std::string_view source, const Name& name);
std::unexpected<Error> not_allowed(std::string_view source, const Name& name,
                                   std::string_view full_name, std::string_view allowed);

template <class Settings>
class Keys {
 public:
  explicit Keys(std::vector<Key<Settings>> keys) : keys_(std::move(keys)) {}

  bool has_section(std::string_view section) const {
    for (const auto& key : keys_)
      if (key.section == section) return true;
    return false;
  }

  /// Every section of a file.
  Result<void> read(const Table& file, std::string_view source, Settings& into) const {
    for (const auto& [name, node] : file)
      if (auto done = read_section(name, node, source, into); !done) return done;
    return {};
  }

  /// One section, or one entry of a list of them ("[[receiver]]").
  Result<void> read_section(const Name& section, const Node& node, std::string_view source,
                            Settings& into) const {
    const auto* table = node.as<Table>();
    if (!has_section(section.text)) return unknown_section(source, section, table, known());
    if (!table) return not_a_section(source, section);
    for (const auto& [name, value] : *table)
      if (auto done = read_key(section.text, name, value, source, into); !done) return done;
    return {};
  }

 private:
  Result<void> read_key(std::string_view section, const Name& name, const Node& value,
                        std::string_view source, Settings& into) const {
    for (const auto& key : keys_) {
      if (key.section != section || key.name != name.text) continue;
      if (key.kind.store(value, into)) return {};
      return not_allowed(source, name, key.full_name(), key.kind.allowed);
    }
    return unknown_key(source, section, name, known());
  }

  std::vector<KnownKey> known() const {
    std::vector<KnownKey> known;
    for (const auto& key : keys_)
      known.push_back({key.section, key.name});
    return known;
  }

  std::vector<Key<Settings>> keys_;
};

/// Two settings that are right each by itself and wrong together.
struct Rule {
  bool holds;
  std::string_view sentence;
};
Result<void> check(const std::vector<Rule>& rules, std::string_view source);

}  // namespace volgrow::settings
