// SPDX-License-Identifier: Apache-2.0
// volgrow status: one registered volume, or all, with their paths. Shows what the daemon knows;
// explain asks the targets.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "cli/command.h"
#include "cli/order.h"
#include "cli/table.h"
#include "cli/views.h"
#include "core/json.h"
#include "core/target.h"
#include "core/text.h"

namespace volgrow::cli {
namespace {

class Status final : public Command {
 public:
  Syntax syntax() override;
  Result<int> run(const Session& session) override;

 private:
  Result<int> run_for_all(const Session& session, bus::Client& client) const;

  std::string volume_;
};

Syntax Status::syntax() {
  return {.name = "status",
          .summary = "Show a registered volume with its paths",
          .arguments = {{.name = "VOLUME",
                         .meaning = "Its id, device or WWID; all volumes when left out",
                         .into = &volume_}},
          .notes =
              "\nExamples:\n"
              "  volgrow status\n"
              "  volgrow status 7d3f9c1e\n"
              "  volgrow status /dev/dm-3 --json"};
}

bool is_meant(const VolumeView& volume, const Target& target) {
  switch (target.kind) {
    case TargetKind::path:
      return volume.device == target.text;
    case TargetKind::device:
      return volume.device == "/dev/" + target.text;
    case TargetKind::wwid:
      return volume.wwid == target.text;
    case TargetKind::volume_id:
      return volume.id == target.text;
    case TargetKind::dm_name:
      return volume.device == "/dev/mapper/" + target.text;
    case TargetKind::any:
      return volume.id == target.text || volume.wwid == target.text;
  }
  return false;
}

Result<VolumeView> find(bus::Client& client, const Target& target) {
  if (target.kind == TargetKind::volume_id) return client.volume(target.text);
  const auto volumes = client.volumes();
  if (!volumes) return std::unexpected(volumes.error());
  const auto found =
      std::ranges::find_if(*volumes, [&](const auto& v) { return is_meant(v, target); });
  if (found != volumes->end()) return *found;
  return failure(
      ErrorCode::no_such_volume,
      fmt::format("no registered volume is {}; 'volgrow list' shows them, 'volgrow explain' "
                  "looks at a device that is not registered",
                  cited(to_text(target))));
}

std::string full_size(Bytes size) {
  return size == Bytes() ? size_text(size)
                         : fmt::format("{} ({} bytes)", size_text(size), size.count());
}

void print_volume(const Session& session, const VolumeView& volume) {
  const Paint paint(session.colored());
  const auto job = volume.last_job == 0 ? std::string("none") : fmt::format("{}", volume.last_job);
  print_table(session.out(),
              {{{volume.id, Color::strong}, state_cell(volume.state)},
               {{"  device"}, {volume.device}},
               {{"  kind"}, {volume.kind}},
               {{"  wwid"}, {volume.wwid.empty() ? "unknown" : volume.wwid}},
               {{"  size"}, {full_size(volume.size)}},
               {{"  target"}, {full_size(volume.target_size)}},
               {{"  last job"}, {job}}},
              paint);
  std::vector<Row> paths;
  for (const auto& path : volume.paths)
    paths.push_back({{"  path"},
                     {path.device, Color::strong},
                     {path.state},
                     {full_size(path.size)},
                     {path.endpoint}});
  print_table(session.out(), paths, paint);
}

Result<int> Status::run_for_all(const Session& session, bus::Client& client) const {
  const auto volumes = client.volumes();
  if (!volumes) return std::unexpected(volumes.error());
  Value::Array items;
  for (const auto& volume : *volumes) {
    items.push_back(to_value(volume));
    if (!session.common.json) print_volume(session, volume);
  }
  if (session.common.json) {
    session.out() << to_json(Value(std::move(items))) << '\n';
  } else if (volumes->empty()) {
    session.out() << "no volume is registered; 'volgrow register' does it at attach\n";
  }
  return 0;
}

Result<int> Status::run(const Session& session) {
  const auto target = volume_.empty() ? Result<Target>() : read_target(volume_);
  if (!target) return std::unexpected(target.error());
  const auto client = session.connect();
  if (!client) return std::unexpected(client.error());
  if (volume_.empty()) return run_for_all(session, **client);

  const auto volume = find(**client, *target);
  if (!volume) return std::unexpected(volume.error());
  if (session.common.json) {
    session.out() << to_json(to_value(*volume)) << '\n';
  } else {
    print_volume(session, *volume);
  }
  return 0;
}

}  // namespace

std::unique_ptr<Command> status_command() {
  return std::make_unique<Status>();
}

}  // namespace volgrow::cli
