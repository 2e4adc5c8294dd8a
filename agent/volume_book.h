// SPDX-License-Identifier: Apache-2.0
// The registered volumes of this host: their pins, as the journal keeps them, and what is known of
// them now, as the bus shows it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/journal.h"
#include "core/model.h"
#include "core/result.h"

namespace volgrow::agent {

class VolumeBook {
 public:
  explicit VolumeBook(std::vector<VolumeRecord> records);

  const VolumeRecord* find(const std::string& id) const;
  const VolumeRecord* find_by_wwid(const Wwid& wwid) const;
  /// The volumes one of whose layers is this kernel device.
  std::vector<std::string> on_device(const std::string& device) const;
  std::vector<std::string> ids() const;
  std::size_t size() const { return records_.size(); }

  void put(VolumeRecord record);
  void erase(const std::string& id);

 private:
  void index(const VolumeRecord& record);
  void unindex(const VolumeRecord& record);

  std::map<std::string, VolumeRecord> records_;
  std::multimap<std::string, std::string, std::less<>> by_device_;  ///< kernel name → volume ids
};

/// "sda" of "/dev/sda".
std::string kernel_name(std::string_view node);

/// How well the volume is by what the result measured.
VolumeState state_in(const JobResult& result);

/// `before` as the result shows it now: sizes, paths, state. What the result did not measure stays.
/// A volume that has less than it had is `shrunk` until it has it again, or is registered anew.
VolumeRecord seen_in(const JobResult& result, VolumeRecord before);

}  // namespace volgrow::agent
