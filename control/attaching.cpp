// SPDX-License-Identifier: Apache-2.0
// The flows around the rules: look, decide, ask the back end, look again, write. Nothing that was
// read before the back end was asked is written after it.
#include "control/attaching.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "core/uuid.h"

namespace volgrow::control {
namespace {

std::unexpected<Fault> no_such_volume(const std::string& id) {
  return not_found(fmt::format("Volume {} could not be found.", id));
}

std::unexpected<Fault> no_such_attachment(const std::string& id) {
  return not_found(
      fmt::format("Volume attachment could not be found with filter: attachment_id = {}.", id));
}

/// With a sentence of its own, unlike server_fault().
std::unexpected<Fault> server_fault_saying(std::string message) {
  return std::unexpected(Fault{500, std::move(message), std::nullopt});
}

std::unexpected<Fault> export_failed(const Error& error) {
  if (error.code == ErrorCode::invalid_args) return invalid_input(error.message);
  return server_fault_saying(
      fmt::format("Bad or unexpected response from the storage volume backend API: Driver "
                  "initialize connection failed (error: {}).",
                  error.message));
}

bool is_given(const Value& connector) {
  return connector.object() != nullptr && !connector.object()->empty();
}

std::string text_or(const Value& object, std::string_view key, std::string_view otherwise) {
  const auto* member = object.find(key);
  const auto* text = member == nullptr ? nullptr : member->text();
  return std::string(text == nullptr ? otherwise : *text);
}

std::optional<std::string> sanitized(const std::optional<std::string>& host_name) {
  if (!host_name || host_name->empty()) return std::nullopt;
  return sanitized_host_name(*host_name);
}

/// Cinder looks by instance, and by host only when there is none.
bool has_it(const std::vector<Attachment>& attachments, const Attaching::Attach& wanted) {
  const auto host = sanitized(wanted.host_name);
  return std::ranges::any_of(attachments, [&](const Attachment& attachment) {
    return wanted.instance_uuid ? attachment.instance_uuid == wanted.instance_uuid
                                : attachment.attached_host == host;
  });
}

/// A mode of the attachment goes before one that the connector has.
std::string mode_for(const Attachment& attachment, const Value& connector) {
  if (attachment.attach_mode && attachment.attach_mode != "null") return *attachment.attach_mode;
  return text_or(connector, "mode", "rw");
}

/// The volume's own read-only flag goes before what a client asked for.
std::string mode_of(const Volume& volume, const Attaching::NewAttachment& wanted) {
  return volume.readonly ? "ro" : wanted.mode;
}

/// Without an attachment to look at, Cinder looks at nothing else either.
Volume detached(Volume volume) {
  volume.status = VolumeStatus::available;
  volume.attach_status = AttachStatus::detached;
  return volume;
}

}  // namespace

// ---- looking and changing ----

template <class T>
Outcome<T> Attaching::checked(Result<T> result) {
  if (result) return std::move(*result);
  return server_fault(result.error(), needs_.log);
}

Outcome<void> Attaching::checked(const Result<void>& result) {
  if (result) return {};
  return server_fault(result.error(), needs_.log);
}

Outcome<Attaching::Scene> Attaching::look_at(const std::string& volume_id) {
  auto store = checked(needs_.commits.open());
  if (!store) return std::unexpected(std::move(store.error()));
  auto volume = checked((*store)->volume(volume_id));
  if (!volume) return std::unexpected(std::move(volume.error()));
  if (!*volume) return no_such_volume(volume_id);
  auto attachments = checked((*store)->attachments_of(volume_id));
  if (!attachments) return std::unexpected(std::move(attachments.error()));
  auto exports = checked((*store)->exports_of(volume_id));
  if (!exports) return std::unexpected(std::move(exports.error()));
  return Scene{*store, std::move(**volume), std::move(*attachments), std::move(*exports)};
}

const Attachment* Attaching::Scene::find(const std::string& id) const {
  const auto found = std::ranges::find(attachments, id, &Attachment::id);
  return found == attachments.end() ? nullptr : &*found;
}

std::vector<Attachment> Attaching::Scene::without(const std::string& id) const {
  auto others = attachments;
  std::erase_if(others, [&](const Attachment& attachment) { return attachment.id == id; });
  return others;
}

Outcome<void> Attaching::change(const Scene& scene, Volume after) {
  const auto& before = scene.volume;
  const auto extend = checked(scene.store->extend_of(before.id));
  if (!extend) return std::unexpected(extend.error());
  if (*extend && before.status == VolumeStatus::extending) after.status = before.status;
  if (after == before) return {};
  after.updated_at = needs_.clock.wall();
  return checked(scene.store->change_volume(after));
}

Outcome<void> Attaching::change_status(const Volume& volume, VolumeStatus status) {
  const auto scene = look_at(volume.id);
  if (!scene) return std::unexpected(scene.error());
  auto after = scene->volume;
  after.status = status;
  return change(*scene, std::move(after));
}

// ---- actions that only change the database ----

Outcome<void> Attaching::reserve(const Volume& volume) {
  if (auto may = may_reserve(volume); !may) return may;
  return change_status(volume, VolumeStatus::attaching);
}

Outcome<void> Attaching::unreserve(const Volume& volume) {
  const auto scene = look_at(volume.id);
  if (!scene) return std::unexpected(scene.error());
  if (scene->volume.status != VolumeStatus::attaching) return {};
  auto after = scene->volume;
  after.status = scene->attachments.empty() ? VolumeStatus::available : VolumeStatus::in_use;
  return change(*scene, std::move(after));
}

Outcome<void> Attaching::begin_detaching(const Volume& volume) {
  const auto begins = begins_detaching(volume);
  if (!begins) return std::unexpected(begins.error());
  return *begins ? change_status(volume, VolumeStatus::detaching) : Outcome<void>();
}

Outcome<void> Attaching::roll_detaching(const Volume& volume) {
  if (volume.status != VolumeStatus::detaching) return {};
  return change_status(volume, VolumeStatus::in_use);
}

Outcome<void> Attaching::attach(const Volume& volume, const Attach& wanted) {
  if (auto may = may_attach(volume, wanted.mode); !may) return may;
  const auto scene = look_at(volume.id);
  if (!scene) return std::unexpected(scene.error());
  if (auto may = may_attach_as(scene->volume, scene->attachments, wanted.mode); !may) return may;
  auto after = scene->volume;
  after.status = VolumeStatus::in_use;
  if (has_it(scene->attachments, wanted)) return change(*scene, std::move(after));
  if (auto may = may_attach_to_another(scene->volume); !may) return may;
  after.attach_status = AttachStatus::attached;
  auto added = checked(scene->store->add_attachment(attachment_for(scene->volume, wanted)));
  return added ? change(*scene, std::move(after)) : added;
}

Attachment Attaching::attachment_for(const Volume& volume, const Attach& wanted) const {
  const auto now = needs_.clock.wall();
  return {.id = new_uuid(),
          .volume_id = volume.id,
          .project_id = volume.project_id,
          .instance_uuid = wanted.instance_uuid,
          .attached_host = sanitized(wanted.host_name),
          .mountpoint = wanted.mountpoint,
          .attach_status = AttachStatus::attached,
          .attach_mode = wanted.mode,
          .attach_time = now,
          .detach_time = {},
          .connector = {},
          .connection_info = {},
          .host = {},
          .created_at = now,
          .updated_at = {}};
}

Outcome<void> Attaching::reset(const Volume& volume, const Reset& wanted) {
  auto scene = look_at(volume.id);
  if (!scene) return std::unexpected(std::move(scene.error()));
  auto after = scene->volume;
  if (wanted.status) after.status = *wanted.status;
  if (wanted.attach_status) after.attach_status = *wanted.attach_status;
  if (wanted.migration_status) after.migration_status = wanted.migration_status;
  if (after.migration_status == "none") after.migration_status.reset();
  const bool forgets = wanted.attach_status == AttachStatus::detached;
  if (forgets && !scene->attachments.empty()) after = without_one(std::move(after), {});
  auto done = give_up_waiting(*scene, after);
  if (after != scene->volume) after.updated_at = needs_.clock.wall();
  if (done) done = checked(scene->store->change_volume(after));
  for (const auto& attachment : scene->attachments)
    if (forgets && done) done = checked(scene->store->remove_attachment(attachment.id));
  return done;
}

/// Nobody will complete it any more: open, it would hold its reservation and every later extend.
Outcome<void> Attaching::give_up_waiting(const Scene& scene, Volume& after) {
  if (after.status == VolumeStatus::extending) return {};
  const auto extend = checked(scene.store->extend_of(after.id));
  if (!extend) return std::unexpected(extend.error());
  if (!*extend || !(*extend)->deferred) return {};
  after.previous_status.reset();
  return checked(scene.store->close_extend((*extend)->id));
}

// ---- connections ----

std::optional<backend::DriverKind> Attaching::driver_of(const Volume& volume) const {
  const auto& all = needs_.config.backends.backends;
  const auto found = std::ranges::find(all, volume.backend, &backend::BackEnd::name);
  return found == all.end() ? std::nullopt : std::optional(found->driver);
}

Outcome<Value> Attaching::completed_for(const Scene& scene, Value connection_info) {
  const auto type = checked(scene.store->type(scene.volume.type_id));
  if (!type) return std::unexpected(type.error());
  const auto cacheable = [&] {
    const auto spec = (*type)->extra_specs.find("cacheable");
    return spec != (*type)->extra_specs.end() && spec->second == "<is> True";
  };
  return completed(std::move(connection_info), access_mode_of(scene.volume, scene.attachments),
                   *type && cacheable());
}

void Attaching::initialize_connection(const Volume& volume, Value connector, Then<Value> then) {
  if (auto may = may_connect(volume); !may) return then(std::unexpected(may.error()));
  auto wanted = export_for(volume, connector, {}, driver_of(volume));
  if (!wanted) return then(std::unexpected(std::move(wanted.error())));
  turns_.take(volume.id, [this, volume, wanted = std::move(*wanted),
                          then = std::move(then)](Turn turn) mutable {
    needs_.exports.begin(volume, wanted,
                         [this, id = volume.id, turn = std::move(turn),
                          then = std::move(then)](Result<Value> connection_info) mutable {
                           then(initialized(id, std::move(connection_info)));
                         });
  });
}

Outcome<Value> Attaching::initialized(const std::string& volume_id, Result<Value> info) {
  if (!info) needs_.log.error(info.error().message, {{field::volume, volume_id}});
  if (!info && info.error().code == ErrorCode::invalid_args)
    return invalid_input(info.error().message);
  if (!info) return server_fault_saying("Unable to fetch connection information from backend.");
  const auto scene = look_at(volume_id);
  if (!scene) return std::unexpected(scene.error());
  return completed_for(*scene, std::move(*info));
}

void Attaching::terminate_connection(const Caller& caller, const Volume& volume,
                                     const Value& connector, Then<void> then) {
  const auto scene = look_at(volume.id);
  if (!scene) return then(std::unexpected(scene.error()));
  if (auto may = may_end(caller, scene->attachments); !may) return then(std::move(may));
  auto one = export_for(volume, connector, {}, std::nullopt);
  turns_.take(volume.id, [this, volume, one = std::move(one),
                          then = std::move(then)](Turn turn) mutable {
    terminate(volume, one ? std::optional(*one) : std::nullopt, std::move(turn), std::move(then));
  });
}

void Attaching::terminate(const Volume& volume, const std::optional<Export>& only, Turn turn,
                          Then<void> then) {
  auto scene = look_at(volume.id);
  if (!scene) return then(std::unexpected(std::move(scene.error())));
  auto ended = std::move(scene->exports);
  std::erase_if(ended, [&](const Export& one) {
    return !one.attachment_id.empty() || (only && one.host != only->host);
  });
  if (ended.empty() && only) ended = {*only};  // on no record, which the back end may know better
  needs_.exports.end(volume, std::move(ended),
                     [this, volume, turn = std::move(turn), then = std::move(then)](
                         const Result<void>& done) mutable { then(terminated(volume, done)); });
}

Outcome<void> Attaching::terminated(const Volume& volume, const Result<void>& done) {
  if (done) return unreserve(volume);
  needs_.log.error(done.error().message, {{field::volume, volume.id}});
  return server_fault_saying("Unable to terminate volume connection from backend.");
}

// ---- attachments ----

Outcome<Attachment> Attaching::reserve_for(const Volume& volume, const NewAttachment& wanted) {
  const auto scene = look_at(volume.id);
  if (!scene) return std::unexpected(scene.error());
  const auto reserved = reserves(scene->volume, scene->attachments, wanted.instance_uuid);
  if (!reserved) return std::unexpected(reserved.error());
  Attachment attachment;
  attachment.id = new_uuid();
  attachment.volume_id = volume.id;
  attachment.project_id = volume.project_id;
  attachment.instance_uuid = wanted.instance_uuid;
  attachment.created_at = needs_.clock.wall();
  if (!is_given(wanted.connector)) {
    attachment.attach_mode = mode_of(volume, wanted);
    attachment.connection_info = Value::Object{};
  }
  auto after = scene->volume;
  if (*reserved) after.status = VolumeStatus::reserved;
  auto done = checked(scene->store->add_attachment(attachment));
  if (done) done = change(*scene, std::move(after));
  if (!done) return std::unexpected(std::move(done.error()));
  return attachment;
}

void Attaching::create(const Volume& volume, NewAttachment wanted, Then<Attachment> then) {
  auto attachment = reserve_for(volume, wanted);
  if (!attachment || !is_given(wanted.connector)) return then(std::move(attachment));
  attachment->attach_mode = mode_of(volume, wanted);
  Connecting connecting{*attachment, std::move(wanted.connector), mode_of(volume, wanted)};
  auto wrapped = [then = std::move(then)](Outcome<Attachment> shown) mutable {
    if (shown) return then(std::move(shown));
    then(server_fault_saying(
        fmt::format("Unable to create attachment for volume ({}).", shown.error().message)));
  };
  turns_.take(volume.id, [this, connecting = std::move(connecting),
                          wrapped = std::move(wrapped)](Turn turn) mutable {
    connect(std::move(connecting), std::move(turn), std::move(wrapped));
  });
}

void Attaching::update(const Attachment& attachment, Value connector, Then<Attachment> then) {
  if (connector.find("host") == nullptr)
    return then(server_fault_saying("Unable to update the attachment."));
  auto wrapped = [then = std::move(then)](Outcome<Attachment> shown) mutable {
    if (shown) return then(std::move(shown));
    then(server_fault_saying(
        fmt::format("Unable to update attachment.({}).", shown.error().message)));
  };
  turns_.take(attachment.volume_id, [this, attachment, connector = std::move(connector),
                                     wrapped = std::move(wrapped)](Turn turn) mutable {
    auto connecting = connecting_again(attachment, std::move(connector));
    if (!connecting) return wrapped(std::unexpected(std::move(connecting.error())));
    connect(std::move(*connecting), std::move(turn), std::move(wrapped));
  });
}

Outcome<Attaching::Connecting> Attaching::connecting_again(const Attachment& attachment,
                                                           Value connector) {
  const auto scene = look_at(attachment.volume_id);
  if (!scene) return std::unexpected(scene.error());
  const auto* current = scene->find(attachment.id);
  if (current == nullptr) return no_such_attachment(attachment.id);
  if (auto may = may_update(scene->volume, scene->attachments); !may)
    return std::unexpected(std::move(may.error()));
  auto mode = mode_for(*current, connector);
  return Connecting{*current, std::move(connector), std::move(mode)};
}

void Attaching::connect(Connecting wanted, Turn turn, Then<Attachment> then) {
  const auto scene = look_at(wanted.shown.volume_id);
  if (!scene) return then(std::unexpected(scene.error()));
  auto one = export_for(scene->volume, wanted.connector, wanted.shown.id, driver_of(scene->volume));
  if (!one) return then(std::unexpected(std::move(one.error())));
  needs_.exports.begin(scene->volume, *one,
                       [this, wanted = std::move(wanted), one = *one, turn = std::move(turn),
                        then = std::move(then)](Result<Value> info) mutable {
                         then(connected(std::move(wanted), one, std::move(info)));
                       });
}

Outcome<Attachment> Attaching::connected(Connecting wanted, const Export& one, Result<Value> info) {
  if (!info) needs_.log.error(info.error().message, {{field::volume, one.volume_id}});
  if (!info) return export_failed(info.error());
  const auto scene = look_at(one.volume_id);
  if (!scene) return std::unexpected(scene.error());
  const auto* current = scene->find(wanted.shown.id);
  if (current == nullptr) {  // os-reset_status came between; nobody else will end the export
    needs_.exports.end(scene->volume, {one}, [](const Result<void>&) {});
    return no_such_attachment(wanted.shown.id);
  }
  auto complete = completed_for(*scene, std::move(*info));
  if (!complete) return std::unexpected(std::move(complete.error()));
  wanted.shown.connection_info = flattened(*complete, wanted.shown.id);
  if (auto done = store_connected(*scene, *current, wanted); !done)
    return std::unexpected(std::move(done.error()));
  return std::move(wanted.shown);
}

Outcome<void> Attaching::store_connected(const Scene& scene, Attachment attachment,
                                         const Connecting& wanted) {
  attachment.connector = wanted.connector;
  attachment.connection_info = wanted.shown.connection_info;
  attachment.attach_status = AttachStatus::attaching;
  attachment.attach_mode = wanted.mode;
  attachment.attached_host = text_or(wanted.connector, "host", "");
  attachment.mountpoint = text_or(wanted.connector, "mountpoint", "na");
  attachment.attach_time = attachment.updated_at = needs_.clock.wall();
  auto after = scene.volume;
  after.status = VolumeStatus::attaching;
  after.attach_status = AttachStatus::attaching;
  auto done = checked(scene.store->change_attachment(attachment));
  return done ? change(scene, std::move(after)) : done;
}

Outcome<void> Attaching::complete(const Attachment& attachment) {
  const auto scene = look_at(attachment.volume_id);
  if (!scene) return std::unexpected(scene.error());
  auto attached = attachment;
  attached.attach_status = AttachStatus::attached;
  if (attached != attachment) attached.updated_at = needs_.clock.wall();
  auto after = scene->volume;
  after.status = VolumeStatus::in_use;
  after.attach_status = AttachStatus::attached;
  auto done = checked(scene->store->change_attachment(attached));
  return done ? change(*scene, std::move(after)) : done;
}

// ---- ends ----

void Attaching::remove(const Caller& caller, const Attachment& attachment,
                       Then<std::vector<Attachment>> then) {
  if (auto may = may_end(caller, attachment); !may)
    return then(std::unexpected(std::move(may.error())));
  turns_.take(attachment.volume_id,
              [this, volume_id = attachment.volume_id, id = attachment.id, then = std::move(then)](
                  Turn turn) mutable { end(volume_id, id, std::move(turn), std::move(then)); });
}

Outcome<std::optional<Attachment>> Attaching::chosen(const Caller& caller, const Scene& scene,
                                                     const std::optional<std::string>& id) {
  if (!id || id->empty()) {
    if (auto may = may_end(caller, scene.attachments); !may)
      return std::unexpected(std::move(may.error()));
    return scene.attachments.empty() ? std::nullopt : std::optional(scene.attachments.front());
  }
  auto named = checked(scene.store->attachment(*id));
  if (!named) return std::unexpected(std::move(named.error()));
  if (auto may = may_end(caller, scene.volume, *named); !may)
    return std::unexpected(std::move(may.error()));
  return named;
}

void Attaching::detach(const Caller& caller, const Volume& volume,
                       const std::optional<std::string>& attachment_id, Then<void> then) {
  const auto scene = look_at(volume.id);
  if (!scene) return then(std::unexpected(scene.error()));
  const auto attachment = chosen(caller, *scene, attachment_id);
  if (!attachment) return then(std::unexpected(attachment.error()));
  if (auto may = may_detach(scene->volume); !may) return then(std::move(may));
  if (!*attachment) return then(change(*scene, detached(scene->volume)));
  auto gone = [then = std::move(then)](const Outcome<std::vector<Attachment>>& left) mutable {
    if (left || left.error().status == 404) return then({});  // another was faster
    then(std::unexpected(left.error()));
  };
  turns_.take(volume.id,
              [this, volume_id = volume.id, id = (*attachment)->id, gone = std::move(gone)](
                  Turn turn) mutable { end(volume_id, id, std::move(turn), std::move(gone)); });
}

void Attaching::end(const std::string& volume_id, const std::string& id, Turn turn,
                    Then<std::vector<Attachment>> then) {
  const auto scene = look_at(volume_id);
  if (!scene) return then(std::unexpected(scene.error()));
  const auto* attachment = scene->find(id);
  if (attachment == nullptr) return then(no_such_attachment(id));
  needs_.exports.end(scene->volume, ended_with(*attachment, scene->without(id), scene->exports),
                     [this, volume_id, id, turn = std::move(turn),
                      then = std::move(then)](const Result<void>& done) mutable {
                       if (!done) return then(server_fault(done.error(), needs_.log));
                       then(ended(volume_id, id));
                     });
}

Outcome<std::vector<Attachment>> Attaching::ended(const std::string& volume_id,
                                                  const std::string& id) {
  const auto scene = look_at(volume_id);
  if (!scene) return std::unexpected(scene.error());
  auto remaining = scene->without(id);
  auto done = checked(scene->store->remove_attachment(id));
  if (done) done = change(*scene, without_one(scene->volume, remaining));
  if (!done) return std::unexpected(std::move(done.error()));
  return remaining;
}

}  // namespace volgrow::control
