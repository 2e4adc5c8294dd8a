// SPDX-License-Identifier: Apache-2.0
// The one file that names CLI11, a header of seconds: a Syntax becomes its options, and its
// exceptions end here as sentences.
#include "cli/syntax.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

namespace volgrow::cli {
namespace {

CLI::Option* bind(CLI::App& app, const Argument& argument) {
  if (auto* const* flag = std::get_if<bool*>(&argument.into))
    return app.add_flag(argument.name, **flag, argument.meaning);
  if (auto* const* text = std::get_if<std::string*>(&argument.into))
    return app.add_option(argument.name, **text, argument.meaning);
  return app.add_option(argument.name, *std::get<std::vector<std::string>*>(argument.into),
                        argument.meaning);
}

void declare(CLI::App& app, const std::vector<Argument>& arguments) {
  for (const auto& argument : arguments) {
    auto* option = bind(app, argument)->required(argument.required);
    if (!argument.value.empty()) option->type_name(argument.value);
    if (!argument.needs.empty()) option->needs(argument.needs);
    if (!argument.excludes.empty()) option->excludes(argument.excludes);
  }
}

/// Subcommands take the help flag and the falling through from the program as it is then.
void declare(CLI::App& app, const Syntax& program) {
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.footer(program.notes);
  declare(app, program.arguments);
  app.set_version_flag("--version", program.name + " " VOLGROW_VERSION);
  for (const auto& syntax : program.commands) {
    auto* command = app.add_subcommand(syntax.name, syntax.summary);
    declare(*command, syntax.arguments);
    command->footer(syntax.notes);
  }
}

std::optional<std::size_t> command_in(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  if (chosen.empty()) return std::nullopt;
  const auto all = app.get_subcommands(nullptr);
  return std::ranges::find(all, chosen.front()) - all.begin();
}

std::string names_of_commands(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands(nullptr))
    names.push_back(command->get_name());
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string sentence_of(const CLI::ParseError& error, const CLI::App& app) {
  const auto rest = app.remaining(true);
  const bool unknown_command =
      app.get_subcommands().empty() && !rest.empty() && !rest.front().starts_with('-');
  if (unknown_command)
    return fmt::format("there is no command '{}'; the commands are {}", rest.front(),
                       names_of_commands(app));
  return error.what();
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

/// What is wrong with a line that CLI11 itself accepts.
std::optional<std::string> mistake_in(const CLI::App& app) {
  if (const auto* empty = empty_option(app))
    return fmt::format("{}: is empty; is a variable not set?", empty->get_name());
  if (app.get_subcommands().empty()) return "name a command: " + names_of_commands(app);
  return std::nullopt;
}

Line parse(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
    return {.mistake = mistake_in(app)};
  } catch (const CLI::CallForHelp&) {
    return {.text = app.help()};
  } catch (const CLI::CallForVersion& version) {
    return {.text = version.what() + std::string("\n")};
  } catch (const CLI::ParseError& error) {
    return {.mistake = sentence_of(error, app)};
  }
}

}  // namespace

Line parse_line(const Syntax& program, int argc, const char* const* argv) {
  CLI::App app(program.summary, program.name);
  declare(app, program);
  auto line = parse(app, argc, argv);
  line.command = command_in(app);
  return line;
}

}  // namespace volgrow::cli
