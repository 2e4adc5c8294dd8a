// SPDX-License-Identifier: Apache-2.0
// agent.toml: every key goes where it belongs, and every mistake is named with its line and its
// mend.
#include "agent/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

namespace volgrow::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

const std::filesystem::path source_dir = VOLGROW_SOURCE_DIR;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {(std::istreambuf_iterator<char>(in)), {}};
}

Result<Config> parsed(std::string_view toml) {
  return parse_config(toml, "agent.toml");
}

std::string complaint_about(std::string_view toml) {
  const auto config = parsed(toml);
  if (config) return "accepted";
  EXPECT_EQ(config.error().code, ErrorCode::invalid_args);
  return config.error().message;
}

/// "jobs.most_jobs" … as they stand in the example.
std::vector<std::string> keys_of_the_example() {
  static const std::regex section(R"(\[(\w+)\])");
  static const std::regex key(R"((\w+) = .*)");
  std::vector<std::string> keys;
  std::string current;
  std::istringstream lines(text_of(source_dir / "agent" / "agent.toml"));
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, section)) current = match[1].str();
    if (std::regex_match(line, match, key)) keys.push_back(current + "." + match[1].str());
  }
  return keys;
}

TEST(TheExampleConfiguration, IsTheDefault) {
  const auto config = read_config(source_dir / "agent" / "agent.toml");

  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(*config, Config());
}

TEST(TheExampleConfiguration, HasEveryKeyThereIs) {
  std::string known;
  for (const auto* section :
       {"access", "identity", "files", "jobs", "deadlines", "workers", "events", "log"}) {
    const auto told = complaint_about(std::string("[") + section + "]\nqqqqqqqqqqqqqqqq = 1\n");
    std::istringstream names(told.substr(told.find("known are ") + 10));
    for (std::string name; names >> name;) {
      if (name.back() == ',') name.pop_back();
      known += std::string(section) + "." + name + "\n";
    }
  }
  std::string in_example;
  for (const auto& key : keys_of_the_example())
    in_example += key + "\n";

  EXPECT_EQ(in_example, known);
}

TEST(TheManualPage, DescribesEveryKeyAndItsDefault) {
  const auto page = text_of(source_dir / "docs" / "man" / "agent.toml.5");

  for (const auto& key : keys_of_the_example())
    EXPECT_THAT(page, HasSubstr(".It Ic " + key.substr(key.find('.') + 1) + " ")) << key;
}

TEST(AConfiguration, MayBeEmpty) {
  EXPECT_EQ(parsed(""), Config());
}

/// No key keeps its default: one that goes nowhere, or elsewhere, shows.
constexpr std::string_view every_key = R"(
    access = { group = "admins", relay_user = "997" }
    identity.require_identity = true
    files.roots = ["/var/lib/volumes", "/srv"]
    log.level = "debug"
    events = { uevent_buffer_mib = 8, auto = "all", audit_interval_s = 60 }
    [jobs]
    default_deadline_ms = 1500
    longest_deadline_ms = 2500
    dead_paths = "wait"
    dead_path_grace_ms = 107
    most_jobs = 11
    most_jobs_per_caller = 10
    most_waits_per_caller = 9
    most_volumes = 8
    ended_job_lifetime_s = 7
    [deadlines]
    resolve_ms = 101
    probe_ms = 102
    grow_ms = 103
    measure_ms = 104
    first_retry_ms = 105
    slowest_retry_ms = 106
    [workers]
    most = 4
    kept = 3
    idle_time_ms = 200
  )";

Config every_value() {
  return {.group = "admins",
          .relay_user = "997",
          .require_identity = true,
          .file_roots = {"/var/lib/volumes", "/srv"},
          .default_deadline = milliseconds(1500),
          .longest_deadline = milliseconds(2500),
          .dead_paths = DeadPaths::wait,
          .most_jobs = 11,
          .most_jobs_per_caller = 10,
          .most_waits_per_caller = 9,
          .most_volumes = 8,
          .ended_job_lifetime = seconds(7),
          .limits = {.resolve = milliseconds(101),
                     .probe = milliseconds(102),
                     .grow = milliseconds(103),
                     .measure = milliseconds(104),
                     .first_retry = milliseconds(105),
                     .slowest_retry = milliseconds(106),
                     .dead_path_grace = milliseconds(107)},
          .workers = {.most = 4, .kept = 3, .idle_time = milliseconds(200)},
          .uevent_buffer = 8_MiB,
          .auto_growth = AutoGrowth::all,
          .audit_interval = std::chrono::minutes(1),
          .log_level = "debug"};
}

TEST(AConfiguration, PutsEveryKeyInItsPlace) {
  const auto config = parsed(every_key);

  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(*config, every_value());
}

struct Mistake {
  std::string_view name;
  std::string_view toml;
  std::string_view complaint;
};

class AMistakeInTheConfiguration : public testing::TestWithParam<Mistake> {};

TEST_P(AMistakeInTheConfiguration, IsNamedWithItsLineAndItsMend) {
  EXPECT_EQ(complaint_about(GetParam().toml), GetParam().complaint);
}

const std::vector<Mistake> mistakes{
    {"SlipInAKey", "[jobs]\n\ndefault_dedline_ms = 1\n",
     "agent.toml:3: unknown key 'jobs.default_dedline_ms'; did you mean 'default_deadline_ms'?"},
    {"KeyOfAnotherSection", "[jobs]\nprobe_ms = 1\n",
     "agent.toml:2: unknown key 'jobs.probe_ms'; did you mean 'deadlines.probe_ms'?"},
    {"KeyOutsideItsSection", "require_identity = true\n",
     "agent.toml:1: unknown key 'require_identity'; did you mean 'identity.require_identity'?"},
    {"KeyLikeNoOther", "[workers]\nzzzzzzzz = 1\n",
     "agent.toml:2: unknown key 'workers.zzzzzzzz'; known are most, kept, idle_time_ms"},
    {"SlipInASection", "[wokers]\nmost = 1\n",
     "agent.toml:1: unknown section 'wokers'; did you mean 'workers'?"},
    {"SectionThatIsAValue", "\njobs = 1\n", "agent.toml:2: 'jobs' must be a section: [jobs]"},
    {"TextForANumber", "[workers]\nmost = \"32\"\n",
     "agent.toml:2: 'workers.most' must be a whole number from 1 to 1024"},
    {"FractionForANumber", "[workers]\nmost = 1.0\n",
     "agent.toml:2: 'workers.most' must be a whole number from 1 to 1024"},
    {"NumberTooSmall", "[workers]\nmost = 0\n",
     "agent.toml:2: 'workers.most' must be a whole number from 1 to 1024"},
    {"NumberTooLarge", "[workers]\nmost = 1025\n",
     "agent.toml:2: 'workers.most' must be a whole number from 1 to 1024"},
    {"NegativeTime", "[deadlines]\nprobe_ms = -1\n",
     "agent.toml:2: 'deadlines.probe_ms' must be a whole number of milliseconds from 1 to 600000"},
    {"TimeTooLong", "[jobs]\nended_job_lifetime_s = 86401\n",
     "agent.toml:2: 'jobs.ended_job_lifetime_s' must be a whole number of seconds from 1 to 86400"},
    {"UnknownAuto", "[events]\nauto = \"always\"\n",
     "agent.toml:2: 'events.auto' must be \"never\", \"registered\" or \"all\""},
    {"BufferTooLarge", "[events]\nuevent_buffer_mib = 4096\n",
     "agent.toml:2: 'events.uevent_buffer_mib' must be a whole number of MiB from 1 to 1024"},
    {"NumberForAFlag", "[identity]\nrequire_identity = 1\n",
     "agent.toml:2: 'identity.require_identity' must be true or false"},
    {"UnknownPolicy", "[jobs]\ndead_paths = \"evicted\"\n",
     "agent.toml:2: 'jobs.dead_paths' must be \"evict\" or \"wait\""},
    {"UnknownLevel", "[log]\nlevel = \"loud\"\n",
     "agent.toml:2: 'log.level' must be \"debug\", \"info\", \"warning\" or \"error\""},
    {"EmptyName", "[access]\ngroup = \"\"\n",
     "agent.toml:2: 'access.group' must be a name or a number, as text of 1 to 256 characters"},
    {"RelativeFolder", "[files]\nroots = [\"/srv\", \"volumes\"]\n",
     "agent.toml:2: 'files.roots' must be a list of absolute paths without \"..\" or \"//\", such "
     "as [\"/var/lib/volumes\"]"},
    {"FolderThatClimbs", "[files]\nroots = [\"/srv/../etc\"]\n",
     "agent.toml:2: 'files.roots' must be a list of absolute paths without \"..\" or \"//\", such "
     "as [\"/var/lib/volumes\"]"},
    {"FolderForAList", "[files]\nroots = \"/srv\"\n",
     "agent.toml:2: 'files.roots' must be a list of absolute paths without \"..\" or \"//\", such "
     "as [\"/var/lib/volumes\"]"},
    {"DefaultBeyondTheLongest", "[jobs]\nlongest_deadline_ms = 1000\n",
     "agent.toml: 'jobs.default_deadline_ms' must not exceed 'jobs.longest_deadline_ms'"},
    {"RetriesTheWrongWayRound", "[deadlines]\nfirst_retry_ms = 2000\n",
     "agent.toml: 'deadlines.first_retry_ms' must not exceed 'deadlines.slowest_retry_ms'"},
    {"MoreKeptThanThereMayBe", "[workers]\nkept = 33\n",
     "agent.toml: 'workers.kept' must not exceed 'workers.most'"},
    {"MoreJobsPerCallerThanInAll", "[jobs]\nmost_jobs = 100\n",
     "agent.toml: 'jobs.most_jobs_per_caller' must not exceed 'jobs.most_jobs'"},
};

INSTANTIATE_TEST_SUITE_P(Table, AMistakeInTheConfiguration, testing::ValuesIn(mistakes),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(AConfiguration, NamesTheLineOfADuplicate) {
  EXPECT_THAT(complaint_about("[workers]\nmost = 1\nmost = 2\n"),
              AllOf(StartsWith("agent.toml:3: "), HasSubstr("most")));
}

TEST(AConfiguration, NamesTheLineThatIsNoToml) {
  EXPECT_THAT(complaint_about("[workers]\nmost = = 2\n"), StartsWith("agent.toml:2: "));
}

TEST(AConfiguration, MakesForeignTextInItsComplaintsPrintable) {
  EXPECT_THAT(complaint_about("[workers]\n\"a\\u001b[31m\" = 1\n"),
              HasSubstr("'workers.a\\x1b[31m'"));
}

TEST(AConfiguration, NamesAFileThatIsNotThere) {
  const auto config = read_config("/nonexistent/agent.toml");

  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message,
              AllOf(HasSubstr("/nonexistent/agent.toml"), HasSubstr("No such file")));
}

TEST(AConfiguration, IsAFile) {
  const auto directory = read_config("/");
  const auto endless = read_config("/dev/zero");

  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().message, "/: not a regular file");
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().message, "/dev/zero: not a regular file");
}

}  // namespace
}  // namespace volgrow::agent
