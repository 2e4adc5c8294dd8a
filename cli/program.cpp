// SPDX-License-Identifier: Apache-2.0
// Which commands there are, what all of them accept, and the exit status of what they return.
#include "cli/program.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "cli/advice.h"
#include "cli/command.h"
#include "core/text.h"

namespace volgrow::cli {
namespace {

constexpr int failed_status = 1;
constexpr int usage_status = 2;

constexpr const char* description =
    "Makes a volume that is attached to this host bigger, on every layer, and proves it.\n";

constexpr const char* footer =
    "\nOptions of the program may stand before or after the command.\n"
    "TARGET is a path (/dev/sdb, /srv/disk.img), or id: dm: wwid: dev: and a name, or a name that\n"
    "only one volume has. SIZE is in bytes, or 20G, 20GiB (binary) or 20GB (decimal).\n\n"
    "Exit status: 0 done or nothing to do, 1 failed, 2 usage, 3 degraded or something is wrong,\n"
    "4 no such volume, 5 timed out, 6 refused, 7 no daemon or no permission, 8 cancelled.\n\n"
    "Examples:\n"
    "  volgrow extend /dev/sdb --expect 20G\n"
    "  volgrow explain id:7d3f… --json\n"
    "  volgrow doctor";

std::vector<Argument> arguments_of(CommonOptions& common) {
  return {
      {.name = "--json",
       .meaning = "Print the result as one line of JSON on standard output",
       .into = &common.json},
      {.name = "--direct",
       .meaning = "Work in this process, as root, without the daemon",
       .into = &common.direct},
      {.name = "--bus-address",
       .value = "ADDR",
       .meaning = "D-Bus address instead of the system bus",
       .into = &common.bus_address},
      {.name = "-q,--quiet",
       .meaning = "Print errors only: no progress, no result",
       .into = &common.quiet},
      {.name = "-v,--verbose",
       .meaning = "Print exact byte counts and end points",
       .into = &common.verbose},
      {.name = "--no-color",
       .meaning = "No colours, not even on a terminal",
       .into = &common.no_color},
  };
}

Syntax syntax_of_program(const Commands& commands, CommonOptions& common) {
  Syntax program{.name = "volgrow",
                 .summary = description,
                 .arguments = arguments_of(common),
                 .notes = footer};
  for (const auto& command : commands)
    program.commands.push_back(command->syntax());
  return program;
}

/// "volgrow extend", as it is typed.
std::string typed_name(const Syntax& program, std::optional<std::size_t> command) {
  return command ? program.name + " " + program.commands[*command].name : program.name;
}

int usage_error(const Surroundings& around, std::string_view name, std::string_view sentence) {
  around.console.err << fmt::format("{}: {}\nTry '{} --help'.\n", name, printable(sentence), name);
  return usage_status;
}

/// `status`, unless what was printed is lost: a script that got no result must not go on as if it
/// had one.
int once_written(const Surroundings& around, int status) {
  errno = 0;
  if (around.console.out.flush()) return status;
  around.console.err << fmt::format("volgrow: cannot write standard output: {}\n",
                                    errno == 0 ? "what was printed is lost" : std::strerror(errno));
  return failed_status;
}

int print_text(const Surroundings& around, std::string_view text) {
  around.console.out << text;
  return once_written(around, 0);
}

std::string direct_names(const Commands& commands) {
  std::vector<std::string> names;
  for (const auto& command : commands)
    if (command->works_directly()) names.push_back(command->syntax().name);
  return fmt::format("{}", fmt::join(names, ", "));
}

int run_command(const Session& session, std::string_view name, Command& command) {
  const auto status = command.run(session);
  if (status) return once_written(session.around, *status);
  const auto error = in_our_words(session, status.error());
  if (error.code == ErrorCode::invalid_args)
    return usage_error(session.around, name, error.message);
  print_error(session.err(), error);
  return exit_status_of(error.code);
}

int run_directly(const Session& session, std::string_view name, Command& command) {
  if (!session.around.root) {
    print_error(session.err(), Error{ErrorCode::not_authorized,
                                     "--direct touches devices itself and needs root: use sudo, or "
                                     "leave it out and ask volgrowd",
                                     {},
                                     0});
    return exit_status_of(ErrorCode::not_authorized);
  }
  return session.around.run_apart([&] { return run_command(session, name, command); });
}

}  // namespace

int run(int argc, const char* const* argv, Surroundings& around) {
  Session session{around, {}};
  const auto commands = all_commands();
  const auto program = syntax_of_program(commands, session.common);
  const auto line = parse_line(program, argc, argv);
  const auto name = typed_name(program, line.command);
  if (line.mistake) return usage_error(around, name, *line.mistake);
  if (line.text) return print_text(around, *line.text);

  auto& command = *commands[line.command.value()];
  if (!session.common.direct) return run_command(session, name, command);
  if (command.works_directly()) return run_directly(session, name, command);
  return usage_error(
      around, name,
      fmt::format("--direct cannot be used here: '{}' asks the daemon; --direct works with {}",
                  command.syntax().name, direct_names(commands)));
}

Commands all_commands() {
  Commands commands;
  commands.push_back(extend_command());
  commands.push_back(rescan_command());
  commands.push_back(plan_command());
  commands.push_back(explain_command());
  commands.push_back(list_command());
  commands.push_back(status_command());
  commands.push_back(jobs_command());
  commands.push_back(job_command());
  commands.push_back(watch_command());
  commands.push_back(register_command());
  commands.push_back(unregister_command());
  commands.push_back(probe_command());
  commands.push_back(doctor_command());
  return commands;
}

}  // namespace volgrow::cli
