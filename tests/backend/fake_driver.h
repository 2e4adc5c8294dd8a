// SPDX-License-Identifier: Apache-2.0
// Storage in memory that does what it is told, or waits until the test lets it.
#pragma once

#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "backend/driver.h"

namespace volgrow::backend {

class FakeDriver final : public Driver {
 public:
  /// The next extend of this volume waits until `let_go`.
  void hold(const std::string& id) {
    const std::scoped_lock lock(mutex_);
    held_ = id;
  }
  void let_go() { gate_.count_down(); }
  void wait_until_held() const { arrived_.wait(); }

  Result<Capabilities> capabilities() const override {
    return Capabilities{"fake", "local", true, 10_GiB, 5_GiB, 20};
  }
  Result<Measured> create(const std::string& id, Bytes size) const override {
    const std::scoped_lock lock(mutex_);
    sizes_[id] = size;
    return Measured{size};
  }
  Result<Measured> size(const std::string& id) const override {
    const std::scoped_lock lock(mutex_);
    const auto found = sizes_.find(id);
    if (found == sizes_.end()) return failure(ErrorCode::no_such_volume, "there is no " + id);
    return Measured{found->second};
  }
  Result<Measured> extend(const std::string& id, Bytes size, Deadline) const override {
    if (is_to_wait(id)) {
      arrived_.count_down();
      gate_.wait();
    }
    return create(id, size);
  }
  Result<Removed> remove(const std::string& id, Deadline) const override {
    const std::scoped_lock lock(mutex_);
    sizes_.erase(id);
    return Removed{};
  }
  Result<Connection> export_to(const std::string& id, const Attachment& to,
                               Deadline) const override {
    return Connection{Value::Object{{"driver_volume_type", "local"},
                                    {"data", Value::Object{{"device_path", to.host + ":" + id}}}}};
  }
  Result<Unexported> unexport(const std::string&, const Attachment&, Deadline) const override {
    return Unexported{"/dev/loop9"};
  }

 private:
  bool is_to_wait(const std::string& id) const {
    const std::scoped_lock lock(mutex_);
    if (held_ != id) return false;
    held_.reset();
    return true;
  }

  mutable std::mutex mutex_;
  mutable std::optional<std::string> held_;
  mutable std::latch arrived_{1};
  mutable std::latch gate_{1};
  mutable std::map<std::string, Bytes> sizes_;
};

}  // namespace volgrow::backend
