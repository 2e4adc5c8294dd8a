// SPDX-License-Identifier: Apache-2.0
// A byte count. Sectors, KiB and GiB are converted where they enter; nothing else carries a size.
#pragma once

#include <compare>
#include <cstdint>

namespace volgrow {

class Bytes {
 public:
  constexpr Bytes() = default;
  constexpr explicit Bytes(std::uint64_t count) : count_(count) {}

  constexpr std::uint64_t count() const { return count_; }
  constexpr auto operator<=>(const Bytes&) const = default;

  friend constexpr Bytes operator+(Bytes a, Bytes b) { return Bytes(a.count_ + b.count_); }
  /// Saturates at zero: an offset beyond the end of a file leaves nothing.
  friend constexpr Bytes operator-(Bytes a, Bytes b) {
    return a.count_ < b.count_ ? Bytes() : Bytes(a.count_ - b.count_);
  }

 private:
  std::uint64_t count_ = 0;
};

/// sysfs reports every block device in units of 512 bytes, whatever its logical block size.
constexpr Bytes from_sectors(std::uint64_t sectors) {
  return Bytes(sectors * 512);
}

inline namespace literals {
constexpr Bytes operator""_B(unsigned long long n) {
  return Bytes(n);
}
constexpr Bytes operator""_KiB(unsigned long long n) {
  return Bytes(n << 10);
}
constexpr Bytes operator""_MiB(unsigned long long n) {
  return Bytes(n << 20);
}
constexpr Bytes operator""_GiB(unsigned long long n) {
  return Bytes(n << 30);
}
}  // namespace literals

}  // namespace volgrow
