// SPDX-License-Identifier: Apache-2.0
// volgrow list: every registered volume on a line.
#include "cli/command.h"
#include "cli/table.h"
#include "cli/views.h"
#include "core/json.h"

namespace volgrow::cli {
namespace {

class List final : public Command {
 public:
  Syntax syntax() override;
  Result<int> run(const Session& session) override;
};

Syntax List::syntax() {
  return {.name = "list",
          .summary = "List the registered volumes",
          .notes = "\nExamples:\n  volgrow list\n  volgrow list --json | jq -r '.[].id'"};
}

void print_json(std::ostream& out, const std::vector<VolumeView>& volumes) {
  Value::Array items;
  for (const auto& volume : volumes)
    items.push_back(to_value(volume));
  out << to_json(Value(std::move(items))) << '\n';
}

void print_volumes(const Session& session, const std::vector<VolumeView>& volumes) {
  std::vector<Row> rows;
  for (const auto& volume : volumes)
    rows.push_back({{volume.id, Color::strong},
                    state_cell(volume.state),
                    {size_text(volume.size)},
                    {size_text(volume.target_size)},
                    {volume.device},
                    {volume.kind},
                    {volume.wwid}});
  print_table(session.out(), {"VOLUME", "STATE", "SIZE", "TARGET", "DEVICE", "KIND", "WWID"},
              std::move(rows), Paint(session.colored()));
}

Result<int> List::run(const Session& session) {
  const auto client = session.connect();
  if (!client) return std::unexpected(client.error());
  const auto volumes = (*client)->volumes();
  if (!volumes) return std::unexpected(volumes.error());
  if (session.common.json) {
    print_json(session.out(), *volumes);
  } else if (volumes->empty()) {
    session.out() << "no volume is registered; 'volgrow register' does it at attach\n";
  } else {
    print_volumes(session, *volumes);
  }
  return 0;
}

}  // namespace

std::unique_ptr<Command> list_command() {
  return std::make_unique<List>();
}

}  // namespace volgrow::cli
