// SPDX-License-Identifier: Apache-2.0
// A loop device of this machine over a sparse temporary file, by ioctl; both are gone afterwards.
#pragma once

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "core/bytes.h"
#include "core/fd.h"

namespace volgrow {

class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(
      const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    std::string name = parent / "volgrow-test-XXXXXX";
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Makes the file `size` long, without blocks.
inline void resize_sparse(const std::string& path, Bytes size) {
  const Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (::ftruncate(file.get(), static_cast<off_t>(size.count())) != 0) std::abort();
}

class RealLoop {
 public:
  /// nullptr where this machine or user has no loop devices.
  static std::unique_ptr<RealLoop> attach(const std::string& file, Bytes offset = {},
                                          Bytes sizelimit = {}, int access = O_RDWR) {
    const Fd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
    const Fd backing(::open(file.c_str(), access | O_CLOEXEC));
    if (!control || !backing) return nullptr;
    while (true) {
      const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
      if (number < 0) return nullptr;
      auto name = "loop" + std::to_string(number);
      Fd node(::open(("/dev/" + name).c_str(), O_RDWR | O_CLOEXEC));
      loop_config config{};
      config.fd = static_cast<unsigned>(backing.get());
      config.info.lo_offset = offset.count();
      config.info.lo_sizelimit = sizelimit.count();
      if (node && ::ioctl(node.get(), LOOP_CONFIGURE, &config) == 0)
        return std::unique_ptr<RealLoop>(new RealLoop(std::move(name), std::move(node)));
      if (errno != EBUSY) return nullptr;  // EBUSY: somebody else was faster
    }
  }
  RealLoop(const RealLoop&) = delete;
  RealLoop& operator=(const RealLoop&) = delete;
  /// The kernel lets go of the file when the node is closed right after this.
  ~RealLoop() { ::ioctl(node_.get(), LOOP_CLR_FD); }

  /// Another file of the same size, as LOOP_CHANGE_FD allows for a read-only device.
  bool change_file(const std::string& file) const {
    const Fd other(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    return ::ioctl(node_.get(), LOOP_CHANGE_FD, other.get()) == 0;
  }

  const std::string& name() const { return name_; }
  int node() const { return node_.get(); }

 private:
  RealLoop(std::string name, Fd node) : name_(std::move(name)), node_(std::move(node)) {}

  std::string name_;
  Fd node_;
};

}  // namespace volgrow
