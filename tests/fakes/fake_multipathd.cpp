// SPDX-License-Identifier: Apache-2.0
// The commands of the fake multipathd, and what its kernel makes of the tables it loads.
#include "tests/fakes/fake_multipathd.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/fakes/fake_kernel.h"

namespace volgrow {
namespace {

/// multipath writes the type before the designator: 3 is NAA.
std::string wwid_of(const FakePath& path) {
  return "3" + path.designators.front().hex;
}

bool belongs_to(const FakePath& path, const FakeMap& map) {
  return map.uuid == "mpath-" + wwid_of(path);
}

}  // namespace

Result<std::string> FakeMultipathd::answer(std::string_view command, Deadline deadline) {
  const bool asks = command.starts_with("show ");
  auto noted = fmt::format("multipathd {}", command);
  if (!listens) return failure(ErrorCode::multipath_unavailable, "multipathd cannot be reached");
  if (deadline.passed(kernel_.clock().now()))
    return failure(ErrorCode::timed_out, "no time was left to ask multipathd");
  if (!has_time())
    return failure(ErrorCode::multipath_unavailable, "multipathd was too busy to begin");
  // A resize notes itself, on its way through the kernel.
  const bool resizes = command.starts_with("resize map ");
  if (asks) kernel_.note_question(std::move(noted));
  if (!asks && !resizes) kernel_.note_change(std::move(noted));
  if (says_nothing && !asks) {
    kernel_.fake_clock().advance_to(deadline.at);
    return failure(ErrorCode::timed_out, "multipathd did not answer within the time allowed");
  }
  auto reply = carry_out(std::string(command));
  if (dies_answering && !asks)
    return failure(ErrorCode::multipath_unavailable, "multipathd hung up");
  return reply;
}

bool FakeMultipathd::has_time() {
  if (timeouts_after > 0) return --timeouts_after >= 0;
  if (timeouts == 0) return true;
  --timeouts;
  return false;
}

std::string FakeMultipathd::carry_out(const std::string& command) {
  constexpr std::string_view resize_map = "resize map ", del = "del path ", add = "add path ";
  if (command == "show daemon") return fmt::format("pid 4711 {}\n", status);
  if (command == R"(show paths raw format "%d;%w;%t;%o;%T")") return show_paths();
  if (command.starts_with(resize_map)) return resize(command.substr(resize_map.size()));
  if (ignores_commands) return "ok\n";
  if (command.starts_with(del)) return delete_path(command.substr(del.size()));
  if (command.starts_with(add)) return add_path(command.substr(add.size()));
  return "fail\n";
}

/// By "dm-N" or by alias; a name that begins like the former is taken for it (sscanf).
FakeMap* FakeMultipathd::map_named(std::string_view named) {
  for (auto* map : kernel_.maps())
    if (map->name == named || (map->alias == named && !named.starts_with("dm-"))) return map;
  return nullptr;
}

FakeMap* FakeMultipathd::map_of(const FakePath& path) {
  for (auto* map : kernel_.maps())
    if (belongs_to(path, *map)) return map;
  return nullptr;
}

std::vector<FakePath*> FakeMultipathd::members_of(const FakeMap& map) {
  std::vector<FakePath*> members;
  const auto names = kernel_.list(fmt::format("block/{}/slaves", map.name));
  for (const auto& name : *names)
    members.push_back(&kernel_.path(name));
  return members;
}

/// Looks at the first path only (before 0.9.7): where that one is old the answer is `ok`. Then the
/// kernel refuses a table that is empty or longer than a member; a member of size 0 it lets pass
/// (dm-table.c, device_area_is_invalid).
std::string FakeMultipathd::resize(std::string_view named) {
  auto* map = map_named(named);
  const auto change = fmt::format("multipathd resize map {}", named);
  const auto members = map == nullptr ? std::vector<FakePath*>() : members_of(*map);
  if (members.empty()) {
    kernel_.note_change(change);
    return refusal;
  }
  const auto size = members.front()->size;
  bool refused = false;
  auto done = kernel_.growing(*map, change, [&] {
    refused = size == Bytes() || std::ranges::any_of(members, [&](const FakePath* member) {
                return member->size != Bytes() && member->size < size;
              });
    if (!refused && !ignores_commands) map->size = size;
  });
  return done && !refused ? "ok\n" : refusal;
}

std::string FakeMultipathd::delete_path(const std::string& name) {
  const auto paths = kernel_.paths();
  const auto found = std::ranges::find(paths, name, &FakePath::name);
  if (found == paths.end() || !deleted.insert(name).second) return refusal;
  for (auto* map : kernel_.maps())
    kernel_.unstack(map->name, name);
  return "ok\n";
}

std::string FakeMultipathd::add_path(const std::string& name) {
  const auto paths = kernel_.paths();
  const auto found = std::ranges::find(paths, name, &FakePath::name);
  if (blacklisted.contains(name)) return "blacklisted\n";  // that is no `fail`
  auto* map = found == paths.end() ? nullptr : map_of(**found);
  if (map == nullptr || (*found)->size != map->size) return refusal;
  deleted.erase(name);
  kernel_.stack_on(map->name, name);
  return "ok\n";
}

std::string FakeMultipathd::show_paths() {
  std::string reply;
  for (const auto* path : kernel_.paths()) {
    if (deleted.contains(path->name)) continue;
    const bool works = path->state == "running" && path->answers && !failed.contains(path->name);
    reply +=
        fmt::format("{};{};{};{};{}\n", path->name, wwid_of(*path), works ? "active" : "failed",
                    path->state == "running" ? "running" : "offline", works ? "ready" : "faulty");
  }
  return reply.empty() ? "ok\n" : reply;  // an empty answer becomes the default one (uxlsnr.c)
}

}  // namespace volgrow
