// SPDX-License-Identifier: Apache-2.0
// volgrow explain: the stack, the first layer that is wrong, why, and what mends it.
#include "cli/command.h"
#include "cli/daemon.h"
#include "cli/direct.h"
#include "cli/order.h"
#include "cli/outcome.h"

namespace volgrow::cli {
namespace {

constexpr const char* notes =
    "\nExit status: 0 when every layer is as it should be, 3 when one is not.\n\n"
    "Examples:\n"
    "  volgrow explain /dev/sdb\n"
    "  volgrow explain id:7d3f9c1e -v";

class Explain final : public Command {
 public:
  Syntax syntax() override;
  bool works_directly() const override { return true; }
  Result<int> run(const Session& session) override;

 private:
  OrderOptions options_;
};

Syntax Explain::syntax() {
  return {.name = "explain",
          .summary = "Show a volume layer by layer, and the first one that is wrong",
          .arguments = {options_.target(), options_.connection(), options_.timeout()},
          .notes = notes};
}

Result<int> Explain::run(const Session& session) {
  const auto order = options_.read(Operation::explain, session.around.standard_input);
  if (!order) return std::unexpected(order.error());
  if (session.common.direct) return show(session, carry_out_directly(session, *order));
  const auto outcome = ask(session, *order);
  if (!outcome) return std::unexpected(outcome.error());
  return show(session, *outcome);
}

}  // namespace

std::unique_ptr<Command> explain_command() {
  return std::make_unique<Explain>();
}

}  // namespace volgrow::cli
