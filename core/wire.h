// SPDX-License-Identifier: Apache-2.0
// Values to bytes and back between processes of one build on one host: the daemon and its workers.
// Not a format to store or to send elsewhere. A type takes part by a function
//   template <class Archive, SameAs<T> Value> void fields(Archive& a, Value& v) { a(v.x, v.y); }
// beside it, found by its namespace; one function serves both directions.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace volgrow::wire {

template <class V, class T>
concept SameAs = std::same_as<std::remove_const_t<V>, T>;

template <class T>
concept Scalar = std::is_arithmetic_v<T> || std::is_enum_v<T>;

class Writer {
 public:
  template <class... T>
  void operator()(const T&... values) {
    (put(values), ...);
  }
  const std::string& bytes() const { return out_; }

 private:
  template <Scalar T>
  void put(const T& value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  template <class Rep, class Period>
  void put(const std::chrono::duration<Rep, Period>& span) {
    put(span.count());
  }
  template <class Clock, class Span>
  void put(const std::chrono::time_point<Clock, Span>& moment) {
    put(moment.time_since_epoch());
  }
  void put(const std::string& text) {
    put(static_cast<std::uint32_t>(text.size()));
    out_.append(text);
  }
  template <class T>
  void put(const std::vector<T>& items) {
    put(static_cast<std::uint32_t>(items.size()));
    for (const auto& item : items)
      put(item);
  }
  template <class A, class B>
  void put(const std::pair<A, B>& pair) {
    (*this)(pair.first, pair.second);
  }
  template <class T>
  void put(const std::optional<T>& maybe) {
    put(maybe.has_value());
    if (maybe) put(*maybe);
  }
  template <class T, class E>
  void put(const std::expected<T, E>& result) {
    put(result.has_value());
    if (!result) return put(result.error());
    if constexpr (!std::is_void_v<T>) put(*result);
  }
  template <class... T>
  void put(const std::variant<T...>& choice) {
    put(static_cast<std::uint8_t>(choice.index()));
    std::visit([this](const auto& value) { this->put(value); }, choice);
  }
  void put(std::monostate) {}
  template <class T>
  void put(const T& value) {
    fields(*this, value);
  }

  std::string out_;
};

/// Reading never throws and never reads outside the text: after the first surprise `ok()` is false
/// and what was read so far must not be used.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : in_(bytes) {}

  template <class... T>
  void operator()(T&... values) {
    (get(values), ...);
  }
  bool ok() const { return ok_; }
  /// Everything was read and nothing is left over.
  bool finished() const { return ok_ && in_.empty(); }

 private:
  template <Scalar T>
  void get(T& value) {
    if (in_.size() < sizeof value) return fail();
    if constexpr (std::same_as<T, bool>) {
      value = in_.front() != 0;
    } else {
      std::memcpy(&value, in_.data(), sizeof value);
    }
    in_.remove_prefix(sizeof value);
  }
  template <class Rep, class Period>
  void get(std::chrono::duration<Rep, Period>& span) {
    Rep count{};
    get(count);
    span = std::chrono::duration<Rep, Period>(count);
  }
  template <class Clock, class Span>
  void get(std::chrono::time_point<Clock, Span>& moment) {
    Span since{};
    get(since);
    moment = std::chrono::time_point<Clock, Span>(since);
  }
  void get(std::string& text) {
    const auto size = length();
    if (!ok_) return;
    text.assign(in_.substr(0, size));
    in_.remove_prefix(size);
  }
  template <class T>
  void get(std::vector<T>& items) {
    const auto size = length();  // every element takes at least a byte, so this bounds the loop
    for (std::size_t i = 0; ok_ && i < size; ++i)
      get(items.emplace_back());
  }
  template <class A, class B>
  void get(std::pair<A, B>& pair) {
    (*this)(pair.first, pair.second);
  }
  template <class T>
  void get(std::optional<T>& maybe) {
    bool present = false;
    get(present);
    if (ok_ && present) get(maybe.emplace());
  }
  template <class T, class E>
  void get(std::expected<T, E>& result) {
    bool present = false;
    get(present);
    if (!ok_) return;
    if (!present) {
      E error{};
      get(error);
      result = std::unexpected(std::move(error));
    } else if constexpr (!std::is_void_v<T>) {
      T value{};
      get(value);
      result = std::move(value);
    }
  }
  template <class... T>
  void get(std::variant<T...>& choice) {
    std::uint8_t index = 0;
    get(index);
    if (index >= sizeof...(T)) return fail();
    if (ok_) emplace<0>(choice, index);
  }
  void get(std::monostate) {}
  template <class T>
  void get(T& value) {  // NOLINT(misc-no-recursion): bounded by `deepest`
    if (depth_ == deepest) return fail();
    ++depth_;
    fields(*this, value);
    --depth_;
  }

  template <std::size_t I, class... T>
  void emplace(std::variant<T...>& choice, std::size_t index) {
    if (I == index) return get(choice.template emplace<I>());
    if constexpr (I + 1 < sizeof...(T)) emplace<I + 1>(choice, index);
  }
  std::size_t length() {
    std::uint32_t size = 0;
    get(size);
    if (size > in_.size()) fail();
    return size;
  }
  void fail() {
    ok_ = false;
    in_ = {};
  }

  /// A value may contain values of its own type; no honest one is nested deeper.
  static constexpr int deepest = 64;

  std::string_view in_;
  int depth_ = 0;
  bool ok_ = true;
};

template <class T>
std::string encode(const T& value) {
  Writer out;
  out(value);
  return out.bytes();
}

/// nullopt when the bytes are not exactly one T.
template <class T>
std::optional<T> decode(std::string_view bytes) {
  Reader in(bytes);
  T value{};
  in(value);
  if (!in.finished()) return std::nullopt;
  return value;
}

}  // namespace volgrow::wire
