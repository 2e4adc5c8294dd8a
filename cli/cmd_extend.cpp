// SPDX-License-Identifier: Apache-2.0
// volgrow extend: makes this host see a volume's new size and proves it.
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/daemon.h"
#include "cli/direct.h"
#include "cli/order.h"
#include "cli/outcome.h"

namespace volgrow::cli {
namespace {

constexpr const char* examples =
    "\nExamples:\n"
    "  volgrow extend /dev/sdb --expect 20G          the array says it grew to 20 GiB\n"
    "  volgrow extend id:7d3f9c1e --timeout 2min\n"
    "  volgrow extend --connection - < info.json     connection_info as Nova stores it\n"
    "  volgrow extend /dev/sdb --no-wait             prints the job's number at once\n"
    "  volgrow --direct extend /dev/loop0            without the daemon, as root";

class Extend final : public Command {
 public:
  Syntax syntax() override;
  bool works_directly() const override { return true; }
  Result<int> run(const Session& session) override;

 private:
  Result<int> run_by_daemon(const Session& session, const Order& order) const;

  OrderOptions options_;
  bool no_wait_ = false;
};

Syntax Extend::syntax() {
  return {.name = "extend",
          .summary = "Take over a volume's new size on every layer",
          .arguments = {options_.target(),
                        options_.connection(),
                        options_.expect(),
                        options_.exact(),
                        options_.dead_paths(),
                        options_.timeout(),
                        {.name = "--no-wait",
                         .meaning = "Print the job's number and leave",
                         .into = &no_wait_}},
          .notes = examples};
}

Result<int> Extend::run(const Session& session) {
  if (no_wait_ && session.common.direct)
    return failure(
        ErrorCode::invalid_args,
        "--no-wait cannot be used with --direct: nobody would be left to finish the job");
  const auto order = options_.read(Operation::extend, session.around.standard_input);
  if (!order) return std::unexpected(order.error());
  if (session.common.direct) return show(session, carry_out_directly(session, *order));
  return run_by_daemon(session, *order);
}

int accepted(const Session& session, JobId job) {
  session.out() << (session.common.json ? fmt::format("{{\"job\":{}}}\n", job)
                                        : fmt::format("{}\n", job));
  return 0;
}

Result<int> Extend::run_by_daemon(const Session& session, const Order& order) const {
  Farewell farewell(session.err());
  const auto client = session.connect();
  if (!client) return std::unexpected(client.error());
  if (auto prepared = prepare(session, **client); !prepared)
    return std::unexpected(prepared.error());

  const auto job =
      (*client)->extend(to_text(order.subject), order.expected.value_or(Bytes()), order.options);
  if (!job) return std::unexpected(job.error());
  if (no_wait_) return accepted(session, *job);

  farewell.know(*job);
  const auto outcome =
      wait_for_end(session, **client, *job, order.options.deadline.value_or(usual_deadline));
  if (!outcome) return std::unexpected(outcome.error());
  return show(session, *outcome);
}

}  // namespace

std::unique_ptr<Command> extend_command() {
  return std::make_unique<Extend>();
}

}  // namespace volgrow::cli
