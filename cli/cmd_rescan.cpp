// SPDX-License-Identifier: Apache-2.0
// volgrow rescan: whatever size each target has, take it over. One job for each volume.
#include <string>
#include <utility>
#include <vector>

#include "cli/advice.h"
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
  Syntax syntax() override;
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

Syntax Rescan::syntax() {
  return {.name = "rescan",
          .summary = "Take over whatever size the targets have now",
          .arguments = {{.name = "TARGET", .meaning = "The volumes", .into = &targets_},
                        {.name = "--all",
                         .meaning = "Every registered volume",
                         .into = &all_,
                         .excludes = "TARGET"},
                        {.name = "--timeout",
                         .value = "TIME",
                         .meaning = "When to give up on a volume: 500ms, 30s, 2min (30s)",
                         .into = &timeout_}},
          .notes = notes};
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
    status = first_bad(status,
                       show(session, carry_out_directly(session, order), to_text(order.subject)));
  return status;
}

/// A job, or why there is none.
struct Started {
  std::string target;  ///< as it was asked for; empty with --all
  Result<JobId> job;
};

/// Said once, not for every target.
bool concerns_the_daemon(ErrorCode code) {
  return code == ErrorCode::unreachable || code == ErrorCode::not_authorized;
}

/// One call for each target: a call with several is refused as a whole when one of them is bad.
Result<std::vector<Started>> start(bus::Client& client, const std::vector<Order>& orders,
                                   const RequestOptions& options) {
  std::vector<Started> started;
  for (const auto& order : orders) {
    const auto target = to_text(order.subject);
    const auto jobs = client.rescan({target}, options);
    if (!jobs && started.empty() && concerns_the_daemon(jobs.error().code))
      return std::unexpected(jobs.error());
    if (!jobs) started.push_back({target, std::unexpected(jobs.error())});
    for (const auto job : jobs.value_or(std::vector<JobId>()))
      started.push_back({target, job});
  }
  return started;
}

Result<std::vector<Started>> start_all(bus::Client& client, const RequestOptions& options) {
  const auto jobs = client.rescan({}, options);
  if (!jobs) return std::unexpected(jobs.error());
  std::vector<Started> started;
  for (const auto job : *jobs)
    started.push_back({{}, job});
  return started;
}

int show_failure(const Session& session, const std::string& target, Error error) {
  const auto code = error.code;
  error = in_our_words(session, std::move(error));
  print_error(session.err(), target.empty() ? error : std::move(error).during(target));
  return volgrow::exit_status_of(code);
}

/// One volume's failure must not hide the others' results.
int show_end(const Session& session, bus::Client& client, const Started& started,
             Duration deadline) {
  if (!started.job) return show_failure(session, started.target, started.job.error());
  const auto outcome = wait_for_end(session, client, *started.job, deadline);
  if (!outcome) return show_failure(session, started.target, outcome.error());
  return show(session, *outcome, started.target);
}

Result<int> Rescan::run_by_daemon(const Session& session, const std::vector<Order>& orders,
                                  Duration deadline) const {
  const Farewell farewell(session.err());
  const auto client = session.connect();
  if (!client) return std::unexpected(client.error());
  if (auto prepared = prepare(session, **client); !prepared)
    return std::unexpected(prepared.error());

  RequestOptions options;
  options.deadline = deadline;
  const auto started = all_ ? start_all(**client, options) : start(**client, orders, options);
  if (!started) return std::unexpected(started.error());
  if (started->empty() && !session.common.json && !session.common.quiet)
    session.out() << "no volume is registered: nothing to rescan\n";
  int status = 0;
  for (const auto& each : *started)
    status = first_bad(status, show_end(session, **client, each, deadline));
  return status;
}

}  // namespace

std::unique_ptr<Command> rescan_command() {
  return std::make_unique<Rescan>();
}

}  // namespace volgrow::cli
