// SPDX-License-Identifier: Apache-2.0
// cinder/api/v3/attachments.py, with its schemas, views and filters.
#include "control/rest/attachments.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "control/cinder_words.h"
#include "control/rest/paging.h"
#include "control/rest/parameter_types.h"
#include "control/rest/schema.h"
#include "control/rest/volumes.h"
#include "control/rest/words.h"

namespace volgrow::control::rest {
namespace {

constexpr Version new_attach{3, 27};
constexpr Version resource_filter{3, 31};
constexpr Version completion{3, 44};
constexpr Version mode_argument{3, 54};

/// An operation that answers when Attaching has.
template <class Starting>
Operation later(const Workplace& work, Attaching& attaching, Starting starting) {
  return [work, &attaching, starting](const Call& call, Reply reply) {
    starting(work, attaching, call, std::move(reply));
  };
}

// ---- views ----

Value text_or_null(const std::optional<std::string>& text) {
  return text ? Value(*text) : Value();
}
Value time_or_nothing(const std::optional<WallTime>& time) {
  return time ? Value(cinder_time(*time)) : Value("");
}

Value::Object summary_of(const Attachment& attachment) {
  return {{"id", attachment.id},
          {"status", name_of(attachment.attach_status)},
          {"instance", text_or_null(attachment.instance_uuid)},
          {"volume_id", attachment.volume_id}};
}

Value::Object detail_of(const Attachment& attachment) {
  auto shown = summary_of(attachment);
  shown.emplace_back("attached_at", time_or_nothing(attachment.attach_time));
  shown.emplace_back("detached_at", time_or_nothing(attachment.detach_time));
  shown.emplace_back("attach_mode", text_or_null(attachment.attach_mode));
  shown.emplace_back("connection_info", attachment.connection_info);
  return shown;
}

Content one(const Attachment& attachment) {
  return {.body = Value::Object{{"attachment", detail_of(attachment)}}};
}

Content several(const std::vector<Attachment>& attachments,
                Value::Object (*shown)(const Attachment&)) {
  Value::Array list;
  for (const auto& attachment : attachments)
    list.emplace_back(shown(attachment));
  return {.body = Value::Object{{"attachments", std::move(list)}}};
}

// ---- one attachment ----

std::unexpected<Fault> no_such(const std::string& id) {
  return not_found(
      fmt::format("Volume attachment could not be found with filter: attachment_id = {}.", id));
}

Outcome<Attachment> find_attachment(const Workplace& work, const std::string& id) {
  auto attachment = work.records.checked(work.records.store().attachment(id));
  if (!attachment) return fault_of(attachment);
  if (!*attachment) return no_such(id);
  return std::move(**attachment);
}

Outcome<Attachment> find_for(const Workplace& work, const Call& call, std::string_view rule) {
  auto attachment = find_attachment(work, call.at("id"));
  if (!attachment) return attachment;
  if (auto allowed = work.policy.require(rule, call.caller, attachment->project_id); !allowed)
    return fault_of(allowed);
  return attachment;
}

/// Unlike Cinder, which shows an attachment to whoever knows its id.
Outcome<Content> show(const Workplace& work, const Call& call) {
  const auto attachment = find_attachment(work, call.at("id"));
  if (!attachment) return std::unexpected(attachment.error());
  if (!work.policy.allows("volume:get", call.caller, attachment->project_id))
    return no_such(call.at("id"));
  return one(*attachment);
}

// ---- lists ----

constexpr std::array<std::string_view, 6> not_filters{"sort",  "sort_key", "sort_dir",
                                                      "limit", "marker",   "offset"};
constexpr std::array<std::string_view, 4> for_everybody{"volume_id", "status", "instance_id",
                                                        "attach_status"};
/// Of the columns that clients know.
constexpr std::array<std::string_view, 4> sortable{"id", "attach_status", "created_at",
                                                   "updated_at"};

bool is_in(const auto& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

using Filters = std::map<std::string, std::string, std::less<>>;

Filters filters_in(const Call& call) {
  Filters filters;
  for (const auto& [key, value] : call.query)
    if (!is_in(not_filters, key)) filters[key] = value;
  return filters;
}

/// Before 3.31 what is not for everybody is left out; since then it is refused, but for
/// all_tenants, which clients always send.
Outcome<void> limit_to_everybodys(const Call& call, Filters& filters) {
  std::vector<std::string> others;
  for (const auto& [key, value] : filters)
    if (!is_in(for_everybody, key) && key != "all_tenants") others.push_back(key);
  std::erase_if(filters, [](const auto& filter) { return !is_in(for_everybody, filter.first); });
  if (call.version < resource_filter || others.empty()) return {};
  return bad_request(
      fmt::format("Invalid filters {} are found in query options.", fmt::join(others, ",")));
}

/// Nothing when a filter is none of an attachment's: then nothing matches.
std::optional<AttachmentPage> filtered(AttachmentPage page, const Filters& filters) {
  for (const auto& [key, value] : filters) {
    if (key == "volume_id")
      page.volume_id = value;
    else if (key == "instance_id" || key == "instance_uuid")
      page.instance_uuid = value;
    else if (key == "attach_status")
      page.attach_status = value;
    else if (key != "project_id")
      return std::nullopt;
  }
  return page;
}

Outcome<std::optional<AttachmentPage>> page_of(const Workplace& work, const Call& call) {
  auto sort = sort_asked(call);
  if (!sort) return fault_of(sort);
  auto asked = page_asked(call, work.config.page_limit);
  if (!asked) return fault_of(asked);
  auto filters = filters_in(call);
  if (!call.caller.is_admin)
    if (auto limited = limit_to_everybodys(call, filters); !limited) return fault_of(limited);
  AttachmentPage page;
  static_cast<Page&>(page) = std::move(*asked);
  page.sort = std::move(*sort);
  const bool all = call.caller.is_admin && filters.erase("all_tenants") > 0;
  if (!all) page.project_id = call.caller.project_id;
  if (const auto project = filters.find("project_id"); all && project != filters.end())
    page.project_id = project->second;
  return filtered(std::move(page), filters);
}

Outcome<std::vector<Attachment>> found(const Workplace& work, const Call& call) {
  auto page = page_of(work, call);
  if (!page) return fault_of(page);
  if (!*page) return std::vector<Attachment>();
  for (const auto& sort : (*page)->sort)
    if (!is_in(sortable, sort.key)) return invalid_input("Invalid sort key");
  auto attachments = work.records.store().attachments(**page);
  if (!attachments && attachments.error().code == ErrorCode::no_such_volume)
    return no_such(*(*page)->marker);
  return work.records.checked(std::move(attachments));
}

Outcome<Content> list(const Workplace& work, const Call& call) {
  const auto attachments = found(work, call);
  if (!attachments) return std::unexpected(attachments.error());
  return several(*attachments, summary_of);
}

Outcome<Content> list_in_detail(const Workplace& work, const Call& call) {
  const auto attachments = found(work, call);
  if (!attachments) return std::unexpected(attachments.error());
  return several(*attachments, detail_of);
}

Outcome<Content> no_summary(const Workplace& /*work*/, const Call& /*call*/) {
  return not_found(std::string(words::no_resource));
}

// ---- create ----

Schema create_schema(bool with_mode) {
  std::vector<keyword::Property> members{
      {"instance_uuid", parameter::uuid()},
      {"connector", {type({keyword::Type::object, keyword::Type::null})}},
      {"volume_uuid", parameter::uuid()}};
  if (with_mode)
    members.push_back({"mode", {type(keyword::Type::string), one_of_values({"rw", "ro"})}});
  return parameter::body_of("attachment",
                            {type(keyword::Type::object), properties(std::move(members)),
                             required({"volume_uuid"}), no_others()});
}

Outcome<void> check_create(const Call& call) {
  static const Schema without = create_schema(false);
  static const Schema with = create_schema(true);
  return check(call.version >= mode_argument ? with : without, call.body);
}

std::optional<std::string> text_of(const Value& object, std::string_view key) {
  const auto* member = object.find(key);
  if (member == nullptr || member->text() == nullptr) return std::nullopt;
  return *member->text();
}

Outcome<Volume> volume_for(const Workplace& work, const Call& call) {
  if (auto valid = check_create(call); !valid) return fault_of(valid);
  const auto id = text_of(*call.body->find("attachment"), "volume_uuid");
  auto volume = find_volume(work, call, *id);
  if (!volume) return volume;
  const auto require = [&](std::string_view rule) {
    return work.policy.require(rule, call.caller, volume->project_id);
  };
  if (auto allowed = require("volume:attachment_create"); !allowed) return fault_of(allowed);
  if (volume->multiattach && volume->bootable && volume->status == VolumeStatus::in_use)
    if (auto allowed = require("volume:multiattach_bootable_volume"); !allowed)
      return fault_of(allowed);
  return volume;
}

/// The answer of an operation that gives one attachment.
Attaching::Then<Attachment> shown_by(Reply reply) {
  return [reply = std::move(reply)](const Outcome<Attachment>& attachment) mutable {
    if (!attachment) return reply(std::unexpected(attachment.error()));
    reply(one(*attachment));
  };
}

void create(const Workplace& work, Attaching& attaching, const Call& call, Reply reply) {
  const auto volume = volume_for(work, call);
  if (!volume) return reply(std::unexpected(volume.error()));
  const auto& body = *call.body->find("attachment");
  const auto* connector = body.find("connector");
  attaching.create(*volume,
                   {.instance_uuid = text_of(body, "instance_uuid"),
                    .connector = connector == nullptr ? Value() : *connector,
                    .mode = text_of(body, "mode").value_or("null")},
                   shown_by(std::move(reply)));
}

// ---- update, complete, delete ----

const Schema& update_schema() {
  static const Schema schema = parameter::body_of(
      "attachment", {type(keyword::Type::object),
                     properties({{"connector", {type(keyword::Type::object), min_properties(1)}}}),
                     required({"connector"}), no_others()});
  return schema;
}

void update(const Workplace& work, Attaching& attaching, const Call& call, Reply reply) {
  if (auto valid = check(update_schema(), call.body); !valid) return reply(fault_of(valid));
  auto attachment = find_for(work, call, "volume:attachment_update");
  if (!attachment) return reply(fault_of(attachment));
  attaching.update(*attachment, *call.body->find("attachment")->find("connector"),
                   shown_by(std::move(reply)));
}

void complete(const Workplace& work, Attaching& attaching, const Call& call, Reply reply) {
  auto attachment = find_for(work, call, "volume:attachment_complete");
  if (!attachment) return reply(fault_of(attachment));
  if (auto completed = attaching.complete(*attachment); !completed)
    return reply(fault_of(completed));
  reply(Content{.status = 204});
}

void remove(const Workplace& work, Attaching& attaching, const Call& call, Reply reply) {
  auto attachment = find_for(work, call, "volume:attachment_delete");
  if (!attachment) return reply(fault_of(attachment));
  attaching.remove(
      call.caller, *attachment,
      [reply = std::move(reply)](const Outcome<std::vector<Attachment>>& left) mutable {
        if (!left) return reply(std::unexpected(left.error()));
        reply(several(*left, summary_of));
      });
}

}  // namespace

void add_attachments(Api& api, const Workplace& work, Attaching& attaching) {
  const auto with = [&](auto starting) { return later(work, attaching, starting); };
  api.add(Route{"GET", "attachments", at(work, list), new_attach});
  api.add(Route{"GET", "attachments/detail", at(work, list_in_detail), new_attach});
  api.add(Route{"GET", "attachments/summary", at(work, no_summary), new_attach});
  api.add(Route{"GET", "attachments/{id}", at(work, show), new_attach});
  api.add(Route{"POST", "attachments", with(create), new_attach});
  api.add(Route{"PUT", "attachments/{id}", with(update), new_attach});
  api.add(Route{"DELETE", "attachments/{id}", with(remove), new_attach});
  api.add(Action{"attachments", "os-complete", with(complete), completion});
}

}  // namespace volgrow::control::rest
