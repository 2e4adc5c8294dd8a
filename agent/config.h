// SPDX-License-Identifier: Apache-2.0
// agent.toml as values, checked as a whole before anything starts.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/worker_pool.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/request.h"
#include "stack/job.h"

namespace volgrow::agent {

/// Whose growth is taken over when nobody announced it.
enum class AutoGrowth : std::uint8_t {
  never,
  registered,  ///< of the registered volumes
  all,         ///< of every volume on a path of SCSI or NVMe, by whatever identity it has now
};
std::optional<AutoGrowth> auto_growth_named(std::string_view name);

struct Config {
  // [access]: names or numbers
  std::string group = "volgrow";
  std::string relay_user = "volgrow-relay";
  // [identity]
  bool require_identity = false;
  // [files]
  std::vector<std::string> file_roots;
  // [jobs]
  Duration default_deadline = usual_deadline;
  Duration longest_deadline = std::chrono::minutes(60);
  DeadPaths dead_paths = DeadPaths::evict;
  std::uint32_t most_jobs = 4096;  ///< accepted and not ended, all callers
  std::uint32_t most_jobs_per_caller = 2048;
  std::uint32_t most_waits_per_caller = 256;
  std::uint32_t most_volumes = 16384;
  Duration ended_job_lifetime = std::chrono::minutes(15);
  // [deadlines]
  JobLimits limits;
  // [workers]
  PoolLimits workers;
  // [events]
  Bytes uevent_buffer = Bytes(std::uint64_t{64} << 20);
  AutoGrowth auto_growth = AutoGrowth::registered;
  Duration audit_interval = std::chrono::minutes(10);  ///< zero: no audit
  // [log]
  std::string log_level = "info";

  bool operator==(const Config&) const = default;
};

/// Errors: InvalidArgs "agent.toml:12: unknown key 'jobs.dedline_ms'; did you mean …".
Result<Config> read_config(const std::filesystem::path& path);
Result<Config> parse_config(std::string_view toml, std::string_view source_name);

}  // namespace volgrow::agent
