// SPDX-License-Identifier: Apache-2.0
// CLI11's exceptions end here, as sentences on standard error and exit status 2.
#include "cli/program.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

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

void declare_common(CLI::App& program, CommonOptions& common) {
  program.add_flag("--json", common.json,
                   "Print the result as one line of JSON on standard output");
  program.add_flag("--direct", common.direct, "Work in this process, as root, without the daemon");
  program
      .add_option("--bus-address", common.bus_address, "D-Bus address instead of the system bus")
      ->type_name("ADDR");
  program.add_flag("-q,--quiet", common.quiet, "Print errors only: no progress, no result");
  program.add_flag("-v,--verbose", common.verbose, "Print exact byte counts and end points");
  program.add_flag("--no-color", common.no_color, "No colours, not even on a terminal");
  program.set_version_flag("--version", "volgrow " VOLGROW_VERSION);
}

using Declared = std::map<const CLI::App*, Command*>;

Declared declare(CLI::App& program, const Commands& commands, CommonOptions& common) {
  program.require_subcommand(0, 1);
  program.fallthrough();
  program.set_help_flag("-h,--help", "Print this help and exit");
  program.footer(footer);
  declare_common(program, common);
  Declared declared;
  for (const auto& command : commands)
    declared.emplace(command->declare(program), command.get());
  return declared;
}

std::string name_of_chosen(const CLI::App& program) {
  const auto chosen = program.get_subcommands();
  return chosen.empty() ? "volgrow" : "volgrow " + chosen.front()->get_name();
}

std::string names_of_commands(const CLI::App& program) {
  std::vector<std::string> names;
  for (const auto* command : program.get_subcommands(nullptr))
    names.push_back(command->get_name());
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string usage_sentence(const CLI::App& program, const CLI::ParseError& error) {
  const auto rest = program.remaining(true);
  const bool unknown_command =
      program.get_subcommands().empty() && !rest.empty() && !rest.front().starts_with('-');
  if (unknown_command)
    return fmt::format("there is no command '{}'; the commands are {}", rest.front(),
                       names_of_commands(program));
  return error.what();
}

int usage_error(const Surroundings& around, const CLI::App& program, std::string_view sentence) {
  const auto name = name_of_chosen(program);
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

/// The first argument that was given as "", as a shell variable that is not set leaves it. Taken
/// for "not given", it would drop a condition that its user relies on.
const CLI::Option* empty_option(const CLI::App& app) {
  for (const auto* option : app.get_options()) {
    const auto& values = option->results();
    if (option->get_items_expected_max() > 0 &&
        std::ranges::find(values, std::string()) != values.end())
      return option;
  }
  for (const auto* command : app.get_subcommands())
    if (const auto* option = empty_option(*command)) return option;
  return nullptr;
}

/// The exit status when the line asks for nothing but text, or makes no sense; nullopt: go on.
std::optional<int> parse(CLI::App& program, int argc, const char* const* argv,
                         const Surroundings& around) {
  try {
    program.parse(argc, argv);
    const auto* empty = empty_option(program);
    if (empty == nullptr) return std::nullopt;
    return usage_error(around, program,
                       fmt::format("{}: is empty; is a variable not set?", empty->get_name()));
  } catch (const CLI::CallForHelp&) {
    around.console.out << program.help();
  } catch (const CLI::CallForVersion& version) {
    around.console.out << version.what() << '\n';
  } catch (const CLI::ParseError& error) {
    return usage_error(around, program, usage_sentence(program, error));
  }
  return once_written(around, 0);
}

std::string direct_names(const CLI::App& program, const Declared& declared) {
  std::vector<std::string> names;
  for (const auto* command : program.get_subcommands(nullptr))
    if (declared.at(command)->works_directly()) names.push_back(command->get_name());
  return fmt::format("{}", fmt::join(names, ", "));
}

int run_command(const CLI::App& program, Command& command, const Session& session) {
  const auto status = command.run(session);
  if (status) return once_written(session.around, *status);
  const auto error = in_our_words(session, status.error());
  if (error.code == ErrorCode::invalid_args)
    return usage_error(session.around, program, error.message);
  print_error(session.err(), error);
  return exit_status_of(error.code);
}

int run_directly(const CLI::App& program, Command& command, const Session& session) {
  if (!session.around.root) {
    print_error(session.err(), Error{ErrorCode::not_authorized,
                                     "--direct touches devices itself and needs root: use sudo, or "
                                     "leave it out and ask volgrowd",
                                     {},
                                     0});
    return exit_status_of(ErrorCode::not_authorized);
  }
  return session.around.run_apart([&] { return run_command(program, command, session); });
}

}  // namespace

int run(int argc, const char* const* argv, Surroundings& around) {
  CLI::App program(description, "volgrow");
  Session session{around, {}};
  const auto commands = all_commands();
  const auto declared = declare(program, commands, session.common);
  if (const auto status = parse(program, argc, argv, around)) return *status;

  const auto chosen = program.get_subcommands();
  if (chosen.empty())
    return usage_error(around, program, "name a command: " + names_of_commands(program));
  auto& command = *declared.at(chosen.front());
  if (!session.common.direct) return run_command(program, command, session);
  if (command.works_directly()) return run_directly(program, command, session);
  return usage_error(
      around, program,
      fmt::format("--direct cannot be used here: '{}' asks the daemon; --direct works with {}",
                  chosen.front()->get_name(), direct_names(program, declared)));
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
