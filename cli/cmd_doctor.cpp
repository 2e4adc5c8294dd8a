// SPDX-License-Identifier: Apache-2.0
// volgrow doctor: is everything this host needs in place? One line each, with the fix.
#include <algorithm>

#include "cli/command.h"
#include "cli/doctor.h"
#include "cli/table.h"
#include "connectors/multipathd_socket.h"
#include "core/json.h"

namespace volgrow::cli {
namespace {

constexpr int wrong_status = 3;
constexpr Duration patience = std::chrono::seconds(2);

class Doctor final : public Command {
 public:
  Syntax syntax() override;
  bool works_directly() const override { return true; }  // it looks, with or without a daemon
  Result<int> run(const Session& session) override;
};

Syntax Doctor::syntax() {
  return {.name = "doctor",
          .summary = "Check that this host has what volgrow needs",
          .notes =
              "\nExit status: 3 when a check fails, else 0; a warning is no failure. -q leaves out "
              "what is well.\n\n"
              "Examples:\n  volgrow doctor\n  volgrow doctor --json"};
}

Color color_of(Health health) {
  switch (health) {
    case Health::ok:
      return Color::good;
    case Health::warn:
      return Color::warning;
    case Health::fail:
      return Color::bad;
  }
  return Color::plain;
}

void print_json(std::ostream& out, const std::vector<Finding>& findings) {
  Value::Array items;
  for (const auto& finding : findings)
    items.push_back(Value::Object{{"check", finding.check},
                                  {"health", name_of(finding.health)},
                                  {"what", finding.what},
                                  {"fix", finding.fix.empty() ? Value() : Value(finding.fix)}});
  out << to_json(Value(std::move(items))) << '\n';
}

void print_lines(const Session& session, const std::vector<Finding>& findings) {
  std::vector<Row> rows;
  for (const auto& finding : findings) {
    if (session.common.quiet && finding.health == Health::ok) continue;
    const auto line = finding.fix.empty() ? finding.what : finding.what + " — " + finding.fix;
    rows.push_back({{std::string(name_of(finding.health)), color_of(finding.health)}, {line}});
  }
  print_table(session.out(), rows, Paint(session.colored()));
}

Result<std::string> ask_multipathd(std::string_view question) {
  const SystemClock clock;
  return multipathd_command(MultipathdSocket{}, question, within(patience, clock.now()), clock);
}

Result<int> Doctor::run(const Session& session) {
  const auto client = session.connect();
  Premises premises{session.around.root_directory, client ? client->get() : nullptr,
                    client ? std::nullopt : std::optional(client.error())};
  // Of another root's files only the files are there.
  if (premises.root == "/") premises.multipathd = ask_multipathd;
  const auto findings = examine(premises);
  if (session.common.json) {
    print_json(session.out(), findings);
  } else {
    print_lines(session, findings);
  }
  return std::ranges::find(findings, Health::fail, &Finding::health) != findings.end()
             ? wrong_status
             : 0;
}

}  // namespace

std::unique_ptr<Command> doctor_command() {
  return std::make_unique<Doctor>();
}

}  // namespace volgrow::cli
