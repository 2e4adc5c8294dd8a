// SPDX-License-Identifier: Apache-2.0
// volgrow rescan: whatever size each target has, take it over. One job for each volume.
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/daemon.h"
#include "cli/direct.h"
#include "cli/order.h"
#include "cli/outcome.h"
#include "core/target.h"

namespace volgrow::cli {
namespace {

constexpr const char* notes =
    "\nThe exit status is that of the first volume that did not end well. With --json there is one "
    "line\n"
    "for each volume.\n\n"
    "Examples:\n"
    "  volgrow rescan /dev/sdb /dev/sdc\n"
    "  volgrow rescan --all                every registered volume";

class Rescan final : public Command {
 public:
  CLI::App* declare(CLI::App& program) override;
  bool works_directly() const override { return true; }
  Result<int> run(const Session& session) override;

 private:
  Result<void> check(const Session& session) const;
  Result<std::vector<Order>> orders(Duration deadline) const;
  static Result<int> run_directly(const Session& session, const std::vector<Order>& orders);
  Result<int> run_by_daemon(const Session& session, const std::vector<Order>& orders,
                            Duration deadline) const;

  std::vector<std::string> targets_;
  std::string timeout_ = "30s";
  bool all_ = false;
};

CLI::App* Rescan::declare(CLI::App& program) {
  auto* command = program.add_subcommand("rescan", "Take over whatever size the targets have now");
  auto* targets = command->add_option("TARGET", targets_, "The volumes");
  command->add_flag("--all", all_, "Every registered volume")->excludes(targets);
  command->add_option("--timeout", timeout_, "When to give up on a volume: 500ms, 30s, 2min (30s)")
      ->type_name("TIME");
  command->footer(notes);
  return command;
}

Result<void> Rescan::check(const Session& session) const {
  if (session.common.direct && all_)
    return failure(
        ErrorCode::invalid_args,
        "--all cannot be used with --direct: only the daemon knows what is registered; name the "
        "volumes");
  if (targets_.empty() && !all_)
    return failure(ErrorCode::invalid_args, "TARGET is missing: name the volumes, or pass --all");
  return {};
}

Result<std::vector<Order>> Rescan::orders(Duration deadline) const {
  std::vector<Order> orders;
  for (const auto& text : targets_) {
    const auto target = read_target(text);
    if (!target) return std::unexpected(target.error());
    RequestOptions options;
    options.deadline = deadline;
    orders.push_back({Operation::rescan, *target, std::nullopt, options});
  }
  return orders;
}

Result<int> Rescan::run(const Session& session) {
  if (auto checked = check(session); !checked) return std::unexpected(checked.error());
  const auto deadline = read_timeout(timeout_);
  if (!deadline) return std::unexpected(deadline.error());
  const auto wanted = orders(*deadline);
  if (!wanted) return std::unexpected(wanted.error());
  if (session.common.direct) return run_directly(session, *wanted);
  return run_by_daemon(session, *wanted, *deadline);
}

int first_bad(int so_far, int status) {
  return so_far != 0 ? so_far : status;
}

Result<int> Rescan::run_directly(const Session& session, const std::vector<Order>& orders) {
  int status = 0;
  for (const auto& order : orders)
    status = first_bad(status, show(session, carry_out_directly(session, order)));
  return status;
}

/// One volume's failure to be waited for must not hide the others' results.
int show_end(const Session& session, bus::Client& client, JobId job, Duration deadline) {
  const auto outcome = wait_for_end(session, client, job, deadline);
  if (outcome) return show(session, *outcome);
  print_error(session.err(), outcome.error());
  return volgrow::exit_status_of(outcome.error().code);
}

Result<int> Rescan::run_by_daemon(const Session& session, const std::vector<Order>& orders,
                                  Duration deadline) const {
  const Farewell farewell(session.err());
  const auto client = session.connect();
  if (!client) return std::unexpected(client.error());
  if (auto prepared = prepare(session, **client); !prepared)
    return std::unexpected(prepared.error());

  std::vector<std::string> subjects;
  for (const auto& order : orders)
    subjects.push_back(to_text(order.subject));
  RequestOptions options;
  options.deadline = deadline;
  const auto jobs = (*client)->rescan(subjects, options);
  if (!jobs) return std::unexpected(jobs.error());

  if (jobs->empty() && !session.common.json && !session.common.quiet)
    session.out() << "no volume is registered: nothing to rescan\n";
  int status = 0;
  for (const auto job : *jobs)
    status = first_bad(status, show_end(session, **client, job, deadline));
  return status;
}

}  // namespace

std::unique_ptr<Command> rescan_command() {
  return std::make_unique<Rescan>();
}

}  // namespace volgrow::cli
