// SPDX-License-Identifier: Apache-2.0
// volgrow plan: asks the targets and says which steps extend would take. A growth that can be
// carried out is nothing wrong.
#include "cli/command.h"
#include "cli/daemon.h"
#include "cli/direct.h"
#include "cli/order.h"
#include "cli/outcome.h"

namespace volgrow::cli {
namespace {

constexpr const char* notes =
    "\nExit status: 0 when there is nothing to do or the plan can be carried out, 3 when something "
    "is wrong\n"
    "that extend would meet.\n\n"
    "Examples:\n"
    "  volgrow plan /dev/sdb --expect 20G\n"
    "  volgrow plan --connection info.json --json";

class Plan final : public Command {
 public:
  Syntax syntax() override;
  bool works_directly() const override { return true; }
  Result<int> run(const Session& session) override;

 private:
  OrderOptions options_;
};

Syntax Plan::syntax() {
  return {.name = "plan",
          .summary = "Say what extend would do, and why; change nothing",
          .arguments = {options_.target(), options_.connection(), options_.expect(),
                        options_.timeout()},
          .notes = notes};
}

Result<int> Plan::run(const Session& session) {
  const auto order = options_.read(Operation::plan, session.around.standard_input);
  if (!order) return std::unexpected(order.error());
  if (session.common.direct) return show(session, carry_out_directly(session, *order));
  const auto outcome = ask(session, *order);
  if (!outcome) return std::unexpected(outcome.error());
  return show(session, *outcome);
}

}  // namespace

std::unique_ptr<Command> plan_command() {
  return std::make_unique<Plan>();
}

}  // namespace volgrow::cli
