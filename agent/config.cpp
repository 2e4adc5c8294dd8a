// SPDX-License-Identifier: Apache-2.0
// agent.toml as a table of keys: what exists, what it may hold and where it goes.
#include "agent/config.h"

#include "service/settings.h"

namespace volgrow::agent {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
namespace in = settings;

#define AT(member) VOLGROW_AT(Config, member)
const in::Keys<Config> keys({
    {"access", "group", in::name<Config>(AT(group))},
    {"access", "relay_user", in::name<Config>(AT(relay_user))},
    {"identity", "require_identity", in::flag<Config>(AT(require_identity))},
    {"files", "roots", in::paths<Config>(AT(file_roots))},
    {"jobs", "default_deadline_ms",
     in::span_ms<Config>(AT(default_deadline), milliseconds(1), hours(24))},
    {"jobs", "longest_deadline_ms",
     in::span_ms<Config>(AT(longest_deadline), milliseconds(1), hours(24))},
    {"jobs", "dead_paths",
     in::word<Config, DeadPaths>(AT(dead_paths), R"("evict" or "wait")", dead_paths_named)},
    {"jobs", "dead_path_grace_ms",
     in::span_ms<Config>(AT(limits.dead_path_grace), milliseconds(0), minutes(10))},
    {"jobs", "most_jobs", in::number<Config, std::uint32_t>(AT(most_jobs), 1, 1'000'000)},
    {"jobs", "most_jobs_per_caller",
     in::number<Config, std::uint32_t>(AT(most_jobs_per_caller), 1, 1'000'000)},
    {"jobs", "most_waits_per_caller",
     in::number<Config, std::uint32_t>(AT(most_waits_per_caller), 1, 65'536)},
    {"jobs", "most_volumes", in::number<Config, std::uint32_t>(AT(most_volumes), 1, 1'000'000)},
    {"jobs", "ended_job_lifetime_s",
     in::span_s<Config>(AT(ended_job_lifetime), seconds(1), hours(24))},
    {"deadlines", "resolve_ms",
     in::span_ms<Config>(AT(limits.resolve), milliseconds(1), minutes(10))},
    {"deadlines", "probe_ms", in::span_ms<Config>(AT(limits.probe), milliseconds(1), minutes(10))},
    {"deadlines", "grow_ms", in::span_ms<Config>(AT(limits.grow), milliseconds(1), minutes(10))},
    {"deadlines", "measure_ms",
     in::span_ms<Config>(AT(limits.measure), milliseconds(1), minutes(10))},
    {"deadlines", "first_retry_ms",
     in::span_ms<Config>(AT(limits.first_retry), milliseconds(1), minutes(1))},
    {"deadlines", "slowest_retry_ms",
     in::span_ms<Config>(AT(limits.slowest_retry), milliseconds(1), minutes(1))},
    {"workers", "most", in::number<Config, std::size_t>(AT(workers.most), 1, 1024)},
    {"workers", "kept", in::number<Config, std::size_t>(AT(workers.kept), 0, 1024)},
    {"workers", "idle_time_ms",
     in::span_ms<Config>(AT(workers.idle_time), milliseconds(0), hours(1))},
    {"events", "uevent_buffer_mib", in::mebibytes<Config>(AT(uevent_buffer), 1, 1024)},
    {"events", "auto",
     in::word<Config, AutoGrowth>(AT(auto_growth), R"("never", "registered" or "all")",
                                  auto_growth_named)},
    {"events", "audit_interval_s", in::span_s<Config>(AT(audit_interval), seconds(0), hours(24))},
    {"log", "level", in::log_level<Config>(AT(log_level))},
});
#undef AT

/// Keys that are right each by itself and wrong together.
Result<void> check(const Config& config, std::string_view source) {
  return in::check({{config.default_deadline <= config.longest_deadline,
                     "'jobs.default_deadline_ms' must not exceed 'jobs.longest_deadline_ms'"},
                    {config.limits.first_retry <= config.limits.slowest_retry,
                     "'deadlines.first_retry_ms' must not exceed 'deadlines.slowest_retry_ms'"},
                    {config.workers.kept <= config.workers.most,
                     "'workers.kept' must not exceed 'workers.most'"},
                    {config.most_jobs_per_caller <= config.most_jobs,
                     "'jobs.most_jobs_per_caller' must not exceed 'jobs.most_jobs'"}},
                   source);
}

}  // namespace

std::optional<AutoGrowth> auto_growth_named(std::string_view name) {
  if (name == "never") return AutoGrowth::never;
  if (name == "registered") return AutoGrowth::registered;
  if (name == "all") return AutoGrowth::all;
  return std::nullopt;
}

Result<Config> parse_config(std::string_view toml, std::string_view source_name) {
  auto file = in::parse_toml(toml, source_name);
  if (!file) return std::unexpected(std::move(file.error()));
  Config config;
  if (auto done = keys.read(*file, source_name, config); !done)
    return std::unexpected(done.error());
  if (auto done = check(config, source_name); !done) return std::unexpected(done.error());
  return config;
}

Result<Config> read_config(const std::filesystem::path& path) {
  auto text = in::read_settings_file(path);
  if (!text) return std::unexpected(std::move(text.error()));
  return parse_config(*text, path.native());
}

}  // namespace volgrow::agent
