// SPDX-License-Identifier: Apache-2.0
// Volumes and jobs as the bus shows them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/request.h"
#include "core/result.h"

namespace volgrow {

using JobId = std::uint32_t;

enum class VolumeState : std::uint8_t { ok, growing, degraded, mismatch, shrunk, unknown };

struct PathView {
  std::string device;
  std::string endpoint;
  Bytes size;
  std::string state;

  bool operator==(const PathView&) const = default;
};

struct VolumeView {
  std::string id;
  std::string wwid;
  std::string kind;    ///< transport or kind of the lowest layer: "loop", "file", "iscsi" …
  std::string device;  ///< "/dev/…" of the top layer
  Bytes size;
  Bytes target_size;
  VolumeState state = VolumeState::unknown;
  std::vector<PathView> paths;
  JobId last_job = 0;  ///< 0: none yet

  bool operator==(const VolumeView&) const = default;
};

struct JobView {
  JobId id = 0;
  Operation operation = Operation::extend;
  std::string volume_id;
  JobState state = JobState::running;
  std::string phase;
  std::string result_json;  ///< empty while running
  std::string error_name;
  std::string error_message;
  std::uint32_t started_by_uid = 0;
  WallTime started_at{};

  bool operator==(const JobView&) const = default;
};

std::string_view name_of(VolumeState state);

}  // namespace volgrow
