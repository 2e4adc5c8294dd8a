// SPDX-License-Identifier: Apache-2.0
// The keys of connection_info that say what a volume's paths are made of: one value for all paths,
// or a list with one for each. What a value means, each transport knows for itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "connectors/scsi_lun.h"
#include "core/connection_info.h"

namespace volgrow {

/// BadConnectionInfo about `data.key`.
std::unexpected<Error> bad_key(std::string_view key, std::string_view problem);

/// nullptr for null as well: drivers write None for what they do not have.
const Value* member_of(const Value::Object& data, std::string_view key);

/// One of the things a path is made of, as it was given. Points into its connection_info.
struct PathKey {
  std::string key;  ///< of what was found
  const Value::Array* list = nullptr;
  const Value* single = nullptr;

  const Value& at(std::size_t index) const { return list == nullptr ? *single : (*list)[index]; }
  /// "target_luns[1]", or "target_lun".
  std::string place(std::size_t index) const;
};

/// The plural key where there is one, else `singular`, which some drivers fill with a list too.
/// Errors: BadConnectionInfo.
Result<PathKey> path_key(const ConnectionInfo& info, const std::string& singular);

/// Of how many paths these keys tell. Errors: BadConnectionInfo when two lists differ in length.
Result<std::size_t> count_of_paths(std::initializer_list<const PathKey*> keys);

/// Errors: BadConnectionInfo.
Result<std::uint64_t> lun_at(const PathKey& luns, std::size_t index);

/// `addressing_mode`. Errors: BadConnectionInfo.
Result<LunAddressing> lun_addressing_of(const ConnectionInfo& info);

}  // namespace volgrow
