// SPDX-License-Identifier: Apache-2.0
// A subcommand: what it understands on the command line, and what it does. One file implements one
// (cmd_extend.cpp …); program.cpp puts them together.
#pragma once

#include <memory>
#include <vector>

#include "cli/session.h"
#include "cli/syntax.h"
#include "core/error.h"

namespace volgrow::cli {

class Command {
 public:
  virtual ~Command() = default;
  /// What it accepts; the arguments point into this Command.
  virtual Syntax syntax() = 0;
  virtual bool works_directly() const { return false; }
  /// The exit status. Errors are printed, and turned into an exit status, by the caller.
  virtual Result<int> run(const Session& session) = 0;
};

using Commands = std::vector<std::unique_ptr<Command>>;

std::unique_ptr<Command> extend_command();
std::unique_ptr<Command> rescan_command();
std::unique_ptr<Command> plan_command();
std::unique_ptr<Command> explain_command();
std::unique_ptr<Command> list_command();
std::unique_ptr<Command> status_command();
std::unique_ptr<Command> jobs_command();
std::unique_ptr<Command> job_command();
std::unique_ptr<Command> watch_command();
std::unique_ptr<Command> register_command();
std::unique_ptr<Command> unregister_command();
std::unique_ptr<Command> probe_command();
std::unique_ptr<Command> doctor_command();

/// In the order of the help text.
Commands all_commands();

}  // namespace volgrow::cli
