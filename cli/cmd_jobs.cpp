// SPDX-License-Identifier: Apache-2.0
// volgrow jobs: what the daemon does and lately did; volgrow job N: what became of one.
#include <fmt/format.h>

#include <charconv>
#include <string>

#include "cli/command.h"
#include "cli/outcome.h"
#include "cli/table.h"
#include "cli/views.h"
#include "core/json.h"
#include "core/text.h"
#include "core/units.h"

namespace volgrow::cli {
namespace {

class Jobs final : public Command {
 public:
  Syntax syntax() override;
  Result<int> run(const Session& session) override;
};

class OneJob final : public Command {
 public:
  Syntax syntax() override;
  Result<int> run(const Session& session) override;

 private:
  std::string number_;
};

Syntax Jobs::syntax() {
  return {.name = "jobs",
          .summary = "List jobs that run or ended in the last 15 minutes",
          .notes =
              "\nExamples:\n"
              "  volgrow jobs\n"
              "  volgrow jobs --json | jq '.[] | select(.state == \"running\")'"};
}

Row row_of(const JobView& job) {
  const bool running = job.state == JobState::running;
  return {{fmt::format("{}", job.id), Color::strong},
          {std::string(name_of(job.operation))},
          {job.volume_id.empty() ? "-" : job.volume_id},
          state_cell(job.state),
          {running ? job.phase : job.error_name},
          {fmt::format("{}", job.started_by_uid)},
          {utc_timestamp(job.started_at)}};
}

void print_jobs(const Session& session, const std::vector<JobView>& jobs) {
  std::vector<Row> rows;
  for (const auto& job : jobs)
    rows.push_back(row_of(job));
  print_table(session.out(),
              {"JOB", "OPERATION", "VOLUME", "STATE", "PHASE/ERROR", "UID", "STARTED"},
              std::move(rows), Paint(session.colored()));
}

void print_json(std::ostream& out, const std::vector<JobView>& jobs) {
  Value::Array items;
  for (const auto& job : jobs)
    items.push_back(to_value(job));
  out << to_json(Value(std::move(items))) << '\n';
}

Result<int> Jobs::run(const Session& session) {
  const auto client = session.connect();
  if (!client) return std::unexpected(client.error());
  const auto jobs = (*client)->jobs();
  if (!jobs) return std::unexpected(jobs.error());
  if (session.common.json) {
    print_json(session.out(), *jobs);
  } else if (jobs->empty()) {
    session.out() << "no job runs, and none ended in the last 15 minutes\n";
  } else {
    print_jobs(session, *jobs);
  }
  return 0;
}

Syntax OneJob::syntax() {
  return {.name = "job",
          .summary = "Show what became of a job",
          .arguments =
              {{.name = "N", .meaning = "The job's number", .into = &number_, .required = true}},
          .notes =
              "\nThe exit status is the job's own, and 0 while it runs; --json prints its result, "
              "or while it runs\nthe job.\n\n"
              "Examples:\n  volgrow job 17\n  volgrow job 17 --json"};
}

int show_running(const Session& session, const JobView& job) {
  if (session.common.json) {
    session.out() << to_json(to_value(job)) << '\n';
  } else {
    session.out() << fmt::format("job {}: {} {}: running, {}, since {}\n", job.id,
                                 name_of(job.operation), printable(job.volume_id),
                                 printable(job.phase), utc_timestamp(job.started_at));
  }
  return 0;
}

Result<JobId> read_job(const std::string& text) {
  JobId job = 0;
  const auto* const end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, job);
  if (failed == std::errc() && stop == end && job != 0) return job;
  return failure(ErrorCode::invalid_args,
                 fmt::format("N: {} is no job number; see 'volgrow jobs'", cited(text)));
}

Result<int> OneJob::run(const Session& session) {
  const auto number = read_job(number_);
  if (!number) return std::unexpected(number.error());
  const auto client = session.connect();
  if (!client) return std::unexpected(client.error());
  const auto job = (*client)->job(*number);
  if (!job) return std::unexpected(job.error());
  if (job->state == JobState::running) return show_running(session, *job);
  const auto outcome = parse_outcome(job->result_json);
  if (!outcome) return std::unexpected(outcome.error());
  return show(session, *outcome);
}

}  // namespace

std::unique_ptr<Command> jobs_command() {
  return std::make_unique<Jobs>();
}

std::unique_ptr<Command> job_command() {
  return std::make_unique<OneJob>();
}

}  // namespace volgrow::cli
