// SPDX-License-Identifier: Apache-2.0
// The words of a request, and its subject as text and back.
#include "core/request.h"

#include "core/names.h"

namespace volgrow {
namespace {

constexpr std::array operations{
    Named{Operation::extend, "extend"},
    Named{Operation::rescan, "rescan"},
    Named{Operation::plan, "plan"},
    Named{Operation::explain, "explain"},
    Named{Operation::registration, "register"},
};

constexpr std::array modes{
    Named{Mode::at_least, "at-least"},
    Named{Mode::exact, "exact"},
};

constexpr std::array dead_path_policies{
    Named{DeadPaths::evict, "evict"},
    Named{DeadPaths::wait, "wait"},
};

constexpr std::array origins{
    Named{Origin::event, "event"},
    Named{Origin::call, "call"},
    Named{Origin::cli, "cli"},
    Named{Origin::straggler, "straggler"},
    Named{Origin::spontaneous, "spontaneous"},
};

struct ToText {
  std::string operator()(const ConnectionInfo& connection) const { return to_json(connection); }
  std::string operator()(const Target& target) const { return to_text(target); }
};

}  // namespace

Result<Subject> parse_subject(std::string_view text) {
  if (text.starts_with('{')) return parse_connection_info(text);
  return parse_target(text);
}

std::string to_text(const Subject& subject) {
  return std::visit(ToText(), subject);
}

bool only_looks(const Request& request) {
  return request.dry_run || request.operation == Operation::plan ||
         request.operation == Operation::explain || request.operation == Operation::registration;
}

std::string_view name_of(Operation operation) {
  return name_in(operations, operation);
}

std::string_view name_of(Mode mode) {
  return name_in(modes, mode);
}

std::string_view name_of(DeadPaths policy) {
  return name_in(dead_path_policies, policy);
}

std::string_view name_of(Origin origin) {
  return name_in(origins, origin);
}

std::optional<Operation> operation_named(std::string_view name) {
  return value_in(operations, name);
}

std::optional<Mode> mode_named(std::string_view name) {
  return value_in(modes, name);
}

std::optional<DeadPaths> dead_paths_named(std::string_view name) {
  return value_in(dead_path_policies, name);
}

std::optional<Origin> origin_named(std::string_view name) {
  return value_in(origins, name);
}

}  // namespace volgrow
