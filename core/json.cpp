// SPDX-License-Identifier: Apache-2.0
// JSON text to Value and back: the only place that knows a JSON library. Parsing is event-driven,
// so depth costs no stack and a limit stops it at once.
#include "core/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/text.h"

namespace volgrow {
namespace {

using Json = nlohmann::json;

std::unexpected<Error> refused(std::string message) {
  return failure(ErrorCode::invalid_args, std::move(message));
}

/// A key that occurs twice. Sorted rather than compared pairwise: a stranger chooses how many there
/// are.
const std::string* repeated_key(const Value::Object& members) {
  std::vector<const std::string*> keys;
  keys.reserve(members.size());
  for (const auto& member : members)
    keys.push_back(&member.first);
  const auto text = [](const std::string* key) -> const std::string& { return *key; };
  std::ranges::sort(keys, {}, text);
  const auto twice = std::ranges::adjacent_find(keys, {}, text);
  return twice == keys.end() ? nullptr : *twice;
}

/// Takes the library's events (its json_sax interface) and builds the Value. An event that returns
/// false ends the parse.
class Builder {
 public:
  explicit Builder(int depth) : depth_(static_cast<std::size_t>(depth)) {}

  bool null() { return add(Value()); }
  bool boolean(bool value) { return add(value); }
  /// "-0" arrives here; it is the whole number 0.
  bool number_integer(std::int64_t value) {
    return value < 0 ? add(value) : add(static_cast<std::uint64_t>(value));
  }
  bool number_unsigned(std::uint64_t value) { return add(value); }
  bool number_float(double value, const std::string& /*text*/) { return add(value); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(Json::binary_t& /*value*/) { return false; }

  bool start_object(std::size_t /*members*/) { return open(Value::Object()); }
  bool key(std::string& name) {
    open_.back().key = std::move(name);
    return true;
  }
  bool end_object() {
    if (const auto* twice = repeated_key(std::get<Value::Object>(open_.back().value.data)))
      return stop(fmt::format("the key {} is there twice in one object", cited(*twice)));
    return close();
  }
  bool start_array(std::size_t /*items*/) { return open(Value::Array()); }
  bool end_array() { return close(); }

  // The library's message cites the text it stopped at, which may be a password.
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const Json::exception& error) {
    if (error.id == 406)
      return stop(fmt::format("a number before byte {} is too big for JSON", position + 1));
    return stop(fmt::format("not JSON from byte {} on", position));
  }

  Result<Value> take() && {
    if (problem_.empty()) return std::move(root_);
    return refused(std::move(problem_));
  }

 private:
  struct Container {
    Value value;
    std::string key;  ///< the next member's, while this is an object
  };

  bool stop(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }
  bool open(Value empty) {
    if (open_.size() == depth_)
      return stop(fmt::format("nested deeper than the {} levels allowed", depth_));
    open_.push_back({std::move(empty), {}});
    return true;
  }
  bool close() {
    auto done = std::move(open_.back().value);
    open_.pop_back();
    return add(std::move(done));
  }
  bool add(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (auto* items = std::get_if<Value::Array>(&open_.back().value.data)) {
      items->push_back(std::move(value));
    } else {
      std::get<Value::Object>(open_.back().value.data)
          .emplace_back(std::move(open_.back().key), std::move(value));
    }
    return true;
  }

  std::size_t depth_;
  std::vector<Container> open_;  ///< outermost first
  Value root_;
  std::string problem_;
};

/// As the library writes it, which sets up a kilobyte of buffers for every call.
template <class T>
void append_by_library(std::string& out, const T& value) {
  out.append(Json(value).dump(-1, ' ', false, Json::error_handler_t::replace));
}

/// Whether JSON text holds this character of a string as it is, and as one byte.
bool is_ordinary(char c) {
  return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

void append_text(std::string& out, const std::string& text) {
  if (!std::ranges::all_of(text, is_ordinary)) return append_by_library(out, text);
  out.append(1, '"').append(text).append(1, '"');
}

void append(std::string& out, const Value& value);

struct Appender {
  std::string& out;

  void operator()(std::monostate) { out.append("null"); }
  void operator()(const Value::Array& items) {
    out.push_back('[');
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out.push_back(',');
      append(out, items[i]);
    }
    out.push_back(']');
  }
  void operator()(const Value::Object& members) {
    out.push_back('{');
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i > 0) out.push_back(',');
      append_text(out, members[i].first);
      out.push_back(':');
      append(out, members[i].second);
    }
    out.push_back('}');
  }
  void operator()(const std::string& text) { append_text(out, text); }
  void operator()(bool value) { out.append(value ? "true" : "false"); }
  void operator()(double number) { append_by_library(out, number); }
  template <std::integral T>
  void operator()(T number) {
    out.append(fmt::format_int(number).c_str());
  }
};

void append(std::string& out, const Value& value) {
  std::visit(Appender{out}, value.data);
}

}  // namespace

Result<Value> parse_json(std::string_view text, JsonLimits limits) {
  if (text.size() > limits.size.count())
    return refused(
        fmt::format("{} bytes of JSON; at most {} are allowed", text.size(), limits.size.count()));
  // The library takes a NUL for the end of the text and would not look at what follows.
  if (const auto nul = text.find('\0'); nul != std::string_view::npos)
    return refused(fmt::format("not JSON from byte {} on", nul + 1));
  Builder builder(limits.depth);
  Json::sax_parse(text.begin(), text.end(), &builder);
  return std::move(builder).take();
}

std::string to_json(const Value& value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace volgrow
