// SPDX-License-Identifier: Apache-2.0
// A secret while it is needed: it is not printed, not copied, and overwritten when it is gone.
#pragma once

#include <string.h>

#include <array>
#include <cstddef>
#include <string_view>

namespace volgrow {

/// Whether a stranger has shown the secret. How long it takes tells of what was shown, never of how
/// much of it was right.
inline bool is_secret(std::string_view shown, std::string_view secret) {
  // volatile: or the compiler may stop at the first difference.
  volatile unsigned difference = shown.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < shown.size() && !secret.empty(); ++i)
    difference = difference | static_cast<unsigned>(shown[i] ^ secret[i % secret.size()]);
  return difference == 0;
}

class Secret {
 public:
  /// What the longest CHAP secret of an initiator takes (RFC 7143 allows 255 bytes of value).
  static constexpr std::size_t longest = 255;

  Secret() = default;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept { take(other); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) take(other);
    return *this;
  }
  ~Secret() { wipe(); }

  /// False, and nothing added, when there is no room.
  bool add(char c) {
    if (size_ == longest) return false;
    bytes_.at(size_++) = c;
    return true;
  }
  void wipe() {
    ::explicit_bzero(bytes_.data(), bytes_.size());
    size_ = 0;
  }
  std::size_t size() const { return size_; }
  /// Ends in NUL as long as this lives and does not change.
  const char* text() const { return bytes_.data(); }

 private:
  void take(Secret& other) {
    bytes_ = other.bytes_;
    size_ = other.size_;
    other.wipe();
  }

  std::array<char, longest + 1> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace volgrow
