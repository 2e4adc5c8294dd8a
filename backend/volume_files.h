// SPDX-License-Identifier: Apache-2.0
// Volumes as sparse files beneath one directory. Every path is made here, from the directory of the
// settings and an id; what kind of export a file has is for the drivers.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/bytes.h"
#include "core/error.h"
#include "core/fd.h"

namespace volgrow::backend {

class VolumeFiles {
 public:
  /// `ratio`: growth up to the free bytes times this is accepted (max_over_subscription_ratio).
  VolumeFiles(std::filesystem::path directory, std::uint32_t ratio)
      : directory_(std::move(directory)), ratio_(ratio) {}

  struct Space {
    Bytes total;
    Bytes free;  ///< what others than root may still write
  };
  /// Errors: NotInitialised.
  Result<Space> space() const;

  /// Appears with its full size or not at all. Returns the size it has. Errors: SizeMismatch,
  /// NoSpace, NotInitialised.
  Result<Bytes> create(const std::string& id, Bytes size) const;
  /// Errors: NoSuchVolume, NotInitialised.
  Result<Bytes> size(const std::string& id) const;

  /// A volume that nobody else changes while this lives: other programs of ours get Busy.
  struct Held {
    Fd directory;
    Fd file;  ///< read and write
    std::string name;
    struct stat status;
  };
  /// Errors: NoSuchVolume, NotInitialised, Busy.
  Result<Held> hold(const std::string& id) const;

  /// Returns the size it has then. Errors: WouldShrink, NoSpace.
  Result<Bytes> grow(const Held& volume, Bytes size) const;
  Result<void> remove(const Held& volume) const;
  /// The same file once more, with nothing shared: a lock belongs to the open file, and lives as
  /// long as anybody has that.
  Result<Fd> open_again(const Held& volume) const;

  std::filesystem::path path_of(const std::string& id) const;

 private:
  Result<Fd> open_directory() const;
  Result<void> create_new(int directory, const std::string& name, Bytes size) const;
  Result<Bytes> size_beneath(int directory, const std::string& name) const;
  Result<void> enlarge(const Held& volume, Bytes from, Bytes to) const;
  Result<void> expect_room(int directory, Bytes growth) const;

  std::filesystem::path directory_;
  std::uint32_t ratio_;
};

/// "volume-<id>": Cinder's volume_name_template.
std::string file_name_of(const std::string& id);

}  // namespace volgrow::backend
