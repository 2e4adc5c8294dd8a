// SPDX-License-Identifier: Apache-2.0
// cinder/api/contrib/volume_actions.py and admin_actions.py, with their schemas. Each action checks
// its body first, then whether the caller may know the volume, then whether he may do this to it.
#include "control/rest/volume_actions.h"

#include <fmt/format.h>

#include <array>

#include "control/rest/paging.h"
#include "control/rest/schema.h"
#include "control/rest/volume_action_schemas.h"
#include "control/rest/volumes.h"
#include "control/rest/words.h"

namespace volgrow::control::rest {
namespace {

constexpr Version extend_in_use{3, 42};
constexpr Version extend_completion{3, 71};

/// An action on a volume that the caller may do this to.
struct Asked {
  const Workplace& work;
  const Call& call;
  Volume volume;
  const Value& body;  ///< what the action's name stands before
};

Content accepted() {
  return {.status = 202};
}

/// Answers with an empty body when the outcome is there.
Attaching::Then<void> accepted_by(Reply reply) {
  return [reply = std::move(reply)](const Outcome<void>& done) mutable {
    if (!done) return reply(std::unexpected(done.error()));
    reply(accepted());
  };
}

// ---- what stands in a body ----

std::optional<std::string> text_of(const Value& body, std::string_view key) {
  const auto* member = body.find(key);
  if (member == nullptr || member->text() == nullptr) return std::nullopt;
  return *member->text();
}

/// In lower case; nothing when it is not there or says nothing.
std::optional<std::string> word_in(const Value& body, std::string_view key) {
  const auto text = text_of(body, key);
  return text && !text->empty() ? std::optional(words::lower(*text)) : std::nullopt;
}

bool flag_in(const Value& body, std::string_view key) {
  const auto& value = *body.find(key);
  if (const auto* flag = value.boolean()) return *flag;
  return boolean_in(*value.text()).value_or(false);
}

/// A number, or a text of digits; the schema has looked at both.
Gib size_in(const Value& value) {
  if (const auto* text = value.text()) return integer_in(*text).value_or(0);
  const auto* number = std::get_if<std::uint64_t>(&value.data);
  return number == nullptr ? 0 : static_cast<Gib>(*number);
}

// ---- os-reset_status ----

/// Cinder's own list reads "error_deletingdetaching" for want of a comma: both may be set.
Outcome<void> may_be_set(const Asked& asked, const std::optional<std::string>& status) {
  if (status == "deleting") return bad_request("Cannot reset-state to deleting");
  if (status != "in-use") return {};
  const auto& records = asked.work.records;
  auto attachments = records.checked(records.store().attachments_of(asked.volume.id));
  if (!attachments) return fault_of(attachments);
  if (!attachments->empty()) return {};
  return bad_request("Cannot reset-state to in-use because volume does not have any attachments.");
}

Outcome<void> reset_status(const Asked& asked, Attaching& attaching) {
  const auto status = word_in(asked.body, "status");
  if (auto may = may_be_set(asked, status); !may) return may;
  const auto attach_status = word_in(asked.body, "attach_status");
  return attaching.reset(
      asked.volume,
      {.status = status ? volume_status_named(*status) : std::nullopt,
       .attach_status = attach_status ? attach_status_named(*attach_status) : std::nullopt,
       .migration_status = word_in(asked.body, "migration_status")});
}

// ---- flags ----

Outcome<void> store_changed(const Asked& asked, Volume after) {
  if (after == asked.volume) return {};
  auto store = asked.work.records.changing();
  if (!store) return fault_of(store);
  after.updated_at = asked.work.clock.wall();
  return asked.work.records.checked((*store)->change_volume(after));
}

Outcome<void> set_bootable(const Asked& asked) {
  if (asked.volume.status == VolumeStatus::maintenance)
    return invalid_volume("The volume cannot be updated during maintenance.");
  auto after = asked.volume;
  after.bootable = flag_in(asked.body, "bootable");
  return store_changed(asked, std::move(after));
}

Outcome<void> update_readonly_flag(const Asked& asked) {
  if (asked.volume.status != VolumeStatus::available)
    return invalid_volume(
        fmt::format("Volume {} status must be available to update readonly flag, but current "
                    "status is: {}.",
                    asked.volume.id, name_of(asked.volume.status)));
  auto after = asked.volume;
  after.readonly = flag_in(asked.body, "readonly");
  return store_changed(asked, std::move(after));
}

// ---- attach, detach, connect ----

Outcome<void> attach(const Asked& asked, Attaching& attaching) {
  return attaching.attach(asked.volume, {.instance_uuid = text_of(asked.body, "instance_uuid"),
                                         .host_name = text_of(asked.body, "host_name"),
                                         .mountpoint = *text_of(asked.body, "mountpoint"),
                                         .mode = text_of(asked.body, "mode").value_or("rw")});
}

/// null passes Cinder's schema, and then it meets an AttributeError.
void detach(const Asked& asked, Attaching& attaching, Reply reply) {
  if (asked.body.is_null()) return reply(server_fault());
  attaching.detach(asked.call.caller, asked.volume, text_of(asked.body, "attachment_id"),
                   accepted_by(std::move(reply)));
}

void initialize_connection(const Asked& asked, Attaching& attaching, Reply reply) {
  attaching.initialize_connection(
      asked.volume, *asked.body.find("connector"),
      [reply = std::move(reply)](Outcome<Value> info) mutable {
        if (!info) return reply(std::unexpected(std::move(info.error())));
        reply(Content{.body = Value::Object{{"connection_info", std::move(*info)}}});
      });
}

void terminate_connection(const Asked& asked, Attaching& attaching, Reply reply) {
  attaching.terminate_connection(asked.call.caller, asked.volume, *asked.body.find("connector"),
                                 accepted_by(std::move(reply)));
}

void force_detach(const Asked& asked, Attaching& attaching, Reply reply) {
  const auto* connector = asked.body.find("connector");
  attaching.terminate_connection(
      asked.call.caller, asked.volume, connector == nullptr ? Value() : *connector,
      [&attaching, caller = asked.call.caller, volume = asked.volume,
       id = text_of(asked.body, "attachment_id"),
       reply = std::move(reply)](const Outcome<void>& terminated) mutable {
        if (!terminated) return reply(std::unexpected(terminated.error()));
        attaching.detach(caller, volume, id, accepted_by(std::move(reply)));
      });
}

// ---- extend ----

Outcome<void> extend(const Asked& asked, Extends& extends) {
  const bool in_use_allowed = asked.call.version >= extend_in_use;
  const auto* rule = in_use_allowed && asked.volume.status == VolumeStatus::in_use
                         ? "volume:extend_attached_volume"
                         : "volume:extend";
  if (auto may = asked.work.policy.require(rule, asked.call.caller, asked.volume.project_id); !may)
    return may;
  return extends.accept(asked.call.caller, asked.volume, size_in(*asked.body.find("new_size")),
                        in_use_allowed);
}

/// Nova sends true or false; of a text Cinder asks no more than whether it is one.
Outcome<void> complete_extend(const Asked& asked, Extends& extends) {
  const auto* error = asked.body.find("error");
  const bool failed = error != nullptr && !error->is_null() && *error != Value(false);
  return extends.complete(asked.volume, failed && *error != Value(""));
}

// ---- what Cinder has besides ----

struct Refused {
  const char* action;
  const char* what;
  Version since = first_version;
};

constexpr std::array refused{
    Refused{"os-retype", "Retyping a volume"},
    Refused{"os-migrate_volume", "Migrating a volume"},
    Refused{"os-migrate_volume_completion", "Migrating a volume"},
    Refused{"os-volume_upload_image", "Uploading a volume as an image"},
    Refused{"os-unmanage", "Unmanaging a volume"},
    Refused{"os-set_image_metadata", "Image metadata of a volume"},
    Refused{"os-unset_image_metadata", "Image metadata of a volume"},
    Refused{"revert", "Reverting a volume to a snapshot", {3, 40}},
    Refused{"os-reimage", "Reimaging a volume", {3, 68}},
};

// ---- how actions are added ----

/// What comes before an action: its body fits, the volume is there, the caller may.
struct Guard {
  const Schema& (*schema)();
  std::string_view rule;  ///< "" where it depends on more
};

Outcome<Volume> admitted(const Workplace& work, const Call& call, const Guard& guard) {
  if (auto valid = check(guard.schema(), call.body); !valid) return fault_of(valid);
  auto volume = find_volume(work, call, call.at("id"));
  if (!volume || guard.rule.empty()) return volume;
  if (auto may = work.policy.require(guard.rule, call.caller, volume->project_id); !may)
    return fault_of(may);
  return volume;
}

class VolumeActions {
 public:
  VolumeActions(Api& api, const Workplace& work) : api_(api), work_(work) {}

  /// `doing(asked, reply)` answers now or later.
  template <class Doing>
  void later(std::string_view name, Guard guard, Doing doing, Version since = first_version) {
    auto operation = [work = work_, guard, doing](const Call& call, Reply reply) {
      auto volume = admitted(work, call, guard);
      if (!volume) return reply(fault_of(volume));
      const auto& body = call.body->object()->front().second;
      doing(Asked{work, call, std::move(*volume), body}, std::move(reply));
    };
    api_.add(Action{"volumes", name, std::move(operation), since});
  }
  /// `doing(asked)` is an Outcome<void>, which is answered with an empty body.
  template <class Doing>
  void now(std::string_view name, Guard guard, Doing doing, Version since = first_version) {
    later(
        name, guard,
        [doing](const Asked& asked, Reply reply) { accepted_by(std::move(reply))(doing(asked)); },
        since);
  }

 private:
  Api& api_;
  const Workplace& work_;
};

void add_attaching(VolumeActions& actions, Attaching& a) {
  using volume_action::any;
  const auto with = [&a](auto doing) {
    return [&a, doing](const Asked& asked) { return doing(asked, a); };
  };
  const auto on = [&a](Outcome<void> (Attaching::*doing)(const Volume&)) {
    return [&a, doing](const Asked& asked) { return (a.*doing)(asked.volume); };
  };
  const auto begin = [&a](auto doing) {
    return [&a, doing](const Asked& asked, Reply reply) { doing(asked, a, std::move(reply)); };
  };
  actions.now("os-reserve", {any, "volume_extension:volume_actions:reserve"},
              on(&Attaching::reserve));
  actions.now("os-unreserve", {any, "volume_extension:volume_actions:unreserve"},
              on(&Attaching::unreserve));
  actions.now("os-begin_detaching", {any, "volume_extension:volume_actions:begin_detaching"},
              on(&Attaching::begin_detaching));
  actions.now("os-roll_detaching", {any, "volume_extension:volume_actions:roll_detaching"},
              on(&Attaching::roll_detaching));
  actions.now("os-attach", {volume_action::attach, "volume_extension:volume_actions:attach"},
              with(attach));
  actions.later("os-detach", {volume_action::detach, "volume_extension:volume_actions:detach"},
                begin(detach));
  actions.later("os-initialize_connection",
                {volume_action::initialize_connection,
                 "volume_extension:volume_actions:initialize_connection"},
                begin(initialize_connection));
  actions.later(
      "os-terminate_connection",
      {volume_action::terminate_connection, "volume_extension:volume_actions:terminate_connection"},
      begin(terminate_connection));
  actions.later("os-force_detach",
                {volume_action::force_detach, "volume_extension:volume_admin_actions:force_detach"},
                begin(force_detach));
  actions.now("os-reset_status",
              {volume_action::reset_status, "volume_extension:volume_admin_actions:reset_status"},
              with(reset_status));
}

void add_extend(VolumeActions& actions, Extends& extends) {
  const auto with = [&extends](auto doing) {
    return [&extends, doing](const Asked& asked) { return doing(asked, extends); };
  };
  actions.now("os-extend", {volume_action::extend, ""}, with(extend));
  actions.now("os-extend_volume_completion",
              {volume_action::extend_volume_completion,
               "volume_extension:volume_admin_actions:extend_volume_completion"},
              with(complete_extend), extend_completion);
}

void add_flags(VolumeActions& actions) {
  actions.now("os-update_readonly_flag",
              {volume_action::update_readonly_flag, "volume:update_readonly_flag"},
              update_readonly_flag);
  actions.later("os-set_bootable", {volume_action::set_bootable, "volume:update"},
                [](const Asked& asked, Reply reply) {
                  auto done = set_bootable(asked);
                  if (!done) return reply(fault_of(done));
                  reply(Content{});
                });
  actions.later("os-show_image_metadata", {volume_action::any, ""},
                [](const Asked& /*asked*/, Reply reply) {
                  reply(Content{.body = Value::Object{{"metadata", Value::Object{}}}});
                });
}

void add_refused(VolumeActions& actions) {
  for (const auto& [action, what, since] : refused)
    actions.now(
        action, {volume_action::any, ""},
        [what = what](const Asked& /*asked*/) -> Outcome<void> {
          return std::unexpected(
              Fault{501, fmt::format("{} is not supported by this service.", what), std::nullopt});
        },
        since);
}

}  // namespace

void add_volume_actions(Api& api, const Workplace& work, Attaching& attaching, Extends& extends) {
  VolumeActions actions(api, work);
  add_attaching(actions, attaching);
  add_extend(actions, extends);
  add_flags(actions);
  add_refused(actions);
}

}  // namespace volgrow::control::rest
