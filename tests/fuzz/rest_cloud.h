// SPDX-License-Identifier: Apache-2.0
// A small cloud for one input of fuzz_rest: all of Cinder's API and our own over a real database,
// back ends in memory, and what must be true of it after every request.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "control/reports.h"
#include "control/rest/face.h"
#include "control/rest/own_api.h"
#include "control/rest/types.h"
#include "tests/control/attach_api.h"
#include "tests/fuzz/property.h"

namespace volgrow::control::rest {

/// As without authentication, but that only Alice is an administrator.
class OneAdministrator final : public Authentication {
 public:
  void identify(const Unidentified& asking, Then then) override {
    nobody_->identify(asking, [then = std::move(then)](Verdict verdict) mutable {
      if (verdict) verdict->is_admin = verdict->user_id == "alice";
      then(std::move(verdict));
    });
  }

 private:
  std::unique_ptr<Authentication> nobody_ = noauth();
};

class RestCloud final : public AttachApi {
 public:
  /// What inputs name by "{name}": they cannot know ids that are new every time.
  using Names = std::map<std::string, std::string>;

  RestCloud() {
    add_face(whole_, work);
    add_volume_actions(whole_, work, *attaching, *extends);
    add_attachments(whole_, work, *attaching);
    fuzz::holds(ensure_default_type(store(), loop.clock().wall()) && store().add_type(a_type("t0")),
                "there are types");
    for (const char* back_end : {"slow", "told"})
      back_ends.back_ends[back_end];
    names_["project"] = some_project;
    pools.start();
    free_volume("available", "fast");
    free_volume("deferred", "told");
    attached_volume("in-use", "fast", "attachment");
    attached_volume("stubborn", "slow", "other");
    settle();
  }

  const Names& names() const { return names_; }

  /// With everything that it causes, unless time has to pass for it.
  std::optional<http::Response> answer_to(http::Request request) {
    std::optional<http::Response> response;
    http::Answer answer([&](std::optional<http::Response> came) {
      fuzz::holds(!response, "a request has one answer");
      response = std::move(came);
    });
    if (OwnApi::serves(request.path))
      own_.answer(std::move(request), std::move(answer));
    else
      whole_.answer(std::move(request), std::move(answer));
    settle();
    if (response) learn_from(*response);
    return response;
  }

  void expect_sound() {
    const auto all = store().volumes({}).value();
    std::set<std::string> projects{some_project};
    for (const auto& volume : all)
      projects.insert(volume.project_id);
    for (const auto& project : projects)
      fuzz::holds(store().usage(project).value() == counted(project, all),
                  "usage is what there is, and what is reserved");
    for (const auto& volume : all)
      expect_sound(volume);
    for (const auto& [id, there] : back_ends.volumes)
      fuzz::holds(store().volume(id).value().has_value(), "no back end keeps what nobody knows");
    fuzz::holds(lines.str().find("error: ") == std::string::npos, lines.str().c_str());
  }

 private:
  void TestBody() override {}

  static std::string id_of(std::size_t number) {
    return fmt::format("00000000-0000-4000-8000-{:012}", number);
  }
  std::string named(const std::string& name) { return names_[name] = id_of(names_.size() + 1); }
  Volume free_volume(const std::string& name, const std::string& back_end) {
    auto volume = a_volume(named(name));
    volume.backend = back_end;
    volume.name = name;
    back_ends.volumes[volume.id] = {.size = bytes_of(1)};
    fuzz::holds(store().add_volume(volume).has_value(), "there is a volume");
    return volume;
  }
  void attached_volume(const std::string& name, const std::string& back_end,
                       const std::string& attachment) {
    auto volume = free_volume(name, back_end);
    volume.status = VolumeStatus::in_use;
    volume.attach_status = AttachStatus::attached;
    auto attached = an_attachment(named(attachment), volume.id, "node1");
    attached.instance_uuid = some_instance;
    back_ends.volumes[volume.id].hosts = {"node1"};
    fuzz::holds(store().change_volume(volume) && store().add_attachment(attached) &&
                    store().add_export({volume.id, "node1", std::nullopt, attached.id}),
                "it is attached");
  }

  /// "{new}" is what the last answer with an id told of.
  void learn_from(const http::Response& response) {
    const auto body = parse_json(response.body, {.depth = 64});
    const auto* members = body ? body->object() : nullptr;
    if (members == nullptr || members->empty()) return;
    const auto* id = members->front().second.find("id");
    if (id != nullptr && id->text() != nullptr) names_["new"] = *id->text();
  }

  std::string type_name(const std::string& id) {
    const auto type = store().type(id).value();
    return type ? type->name : id;
  }
  /// Types that were used once stay listed, with nothing.
  std::map<std::string, Usage> counted(const std::string& project,
                                       const std::vector<Volume>& volumes) {
    auto usage = store().usage(project).value();
    for (auto& [resource, used] : usage)
      used = {};
    for (const auto& volume : volumes)
      if (volume.project_id == project) count(usage, volume);
    return usage;
  }
  void count(std::map<std::string, Usage>& usage, const Volume& volume) {
    const auto extend = store().extend_of(volume.id).value();
    for (const auto& suffix : {std::string(), "_" + type_name(volume.type_id)}) {
      usage["volumes" + suffix].in_use += 1;
      usage["gigabytes" + suffix].in_use += volume.size;
      if (extend) usage["gigabytes" + suffix].reserved += extend->new_size - extend->old_size;
    }
  }
  void expect_sound(const Volume& volume) {
    const auto there = back_ends.volumes.find(volume.id);
    if (there == back_ends.volumes.end()) return;
    fuzz::holds(there->second.size >= bytes_of(volume.size), "no volume says more than it has");
    std::set<std::string> hosts;
    const auto recorded_ones = store().exports_of(volume.id).value();
    for (const auto& one : recorded_ones)
      hosts.insert(one.host);
    fuzz::holds(there->second.hosts == hosts, "exports are what was recorded");
  }

  Names names_;
  OneAdministrator callers_;
  Api whole_{callers_, *commits, *log, {}};
  Reports reports_{{loop.clock(), *commits, *log}};
  ReportTokens tokens_;
  OwnApi own_{{callers_, records, *commits, back_ends, reports_, tokens_, config, loop.clock()}};
};

}  // namespace volgrow::control::rest
