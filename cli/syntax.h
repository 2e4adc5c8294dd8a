// SPDX-License-Identifier: Apache-2.0
// What a command line consists of, as a value: the commands say what they accept and where its text
// goes, parse_line() reads by that. What the text means is checked by the commands.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace volgrow::cli {

/// An option when its name begins with '-', else a positional.
struct Argument {
  std::string name;        ///< "TARGET", "--expect", "-q,--quiet"
  std::string value = {};  ///< what the help calls an option's value: "SIZE"
  std::string meaning;     ///< for the help
  std::variant<bool*, std::string*, std::vector<std::string>*> into;  ///< bool: it is a flag
  bool required = false;
  std::string needs = {};     ///< an earlier argument, without which this one makes no sense
  std::string excludes = {};  ///< an earlier argument, next to which this one makes no sense
};

/// A command, or the program. What its arguments point into outlives the parsing.
struct Syntax {
  std::string name;
  std::string summary;
  std::vector<Argument> arguments = {};
  std::string notes;  ///< the end of the help
  std::vector<Syntax> commands = {};
};

/// A line as read: it is wrong, or asks for a text, or names a command to run.
struct Line {
  std::optional<std::string> mistake = {};  ///< a sentence
  std::optional<std::string> text = {};     ///< the help or the version
  std::optional<std::size_t> command = {};  ///< which of the program's, whatever else the line is
};

/// Adds --help and --version to what the program accepts. Its own arguments may stand before or
/// after the command; an argument given as "" is a mistake.
Line parse_line(const Syntax& program, int argc, const char* const* argv);

}  // namespace volgrow::cli
