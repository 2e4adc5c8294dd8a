// SPDX-License-Identifier: Apache-2.0
// A filter that Cinder's table does not have finds nothing, and every message is an error about a
// volume.
#include "control/rest/messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/cinder_words.h"
#include "control/rest/paging.h"
#include "control/rest/words.h"
#include "control/user_messages.h"

namespace volgrow::control::rest {
namespace {

constexpr Version messages_began{3, 3};
constexpr Version paging_began{3, 5};

Value shown(const Call& call, const Message& message) {
  return Value::Object{{"id", message.id},
                       {"event_id", event_id_of(message)},
                       {"user_message", text_of(message)},
                       {"message_level", "ERROR"},
                       {"created_at", cinder_time(message.created_at)},
                       {"guaranteed_until", cinder_time(message.expires_at)},
                       {"request_id", message.request_id},
                       {"links", links_to(call.place, "messages", message.id)},
                       {"resource_type", "VOLUME"},
                       {"resource_uuid", message.resource_uuid}};
}

// ---- lists ----

bool is_paging(std::string_view key) {
  constexpr std::array<std::string_view, 6> keys{"limit", "marker",   "offset",
                                                 "sort",  "sort_key", "sort_dir"};
  return std::ranges::find(keys, key) != keys.end();
}

/// "VOLUME_VOLUME_007_010"; false when no message of ours has it.
bool filter_by_event(MessagePage& page, const std::string& event) {
  constexpr std::string_view prefix = "VOLUME_VOLUME_";
  if (!event.starts_with(prefix) || event.size() != prefix.size() + 7) return false;
  page.action_id = event.substr(prefix.size(), 3);
  page.detail_id = event.substr(prefix.size() + 4);
  return true;
}

/// False when nothing can match.
bool apply_filter(MessagePage& page, const std::string& key, const std::string& value) {
  if (is_paging(key)) return true;
  if (key == "message_level") return value == "ERROR";
  if (key == "resource_type") return value == "VOLUME";
  if (key == "event_id") return filter_by_event(page, value);
  if (key == "resource_uuid") page.resource_uuid = value;
  if (key == "request_id") page.request_id = value;
  return key == "resource_uuid" || key == "request_id";
}

/// Absent when nothing can match.
Outcome<std::optional<MessagePage>> page_for(const Workplace& work, const Call& call) {
  MessagePage page;
  page.project_id = call.caller.project_id;
  if (call.version < paging_began) return std::optional(std::move(page));
  auto paging = page_asked(call, work.config.page_limit);
  if (!paging) return fault_of(paging);
  auto sort = sort_asked(call);
  if (!sort) return fault_of(sort);
  static_cast<Page&>(page) = std::move(*paging);
  page.project_id = call.caller.project_id;
  page.sort = std::move(*sort);
  const auto sorts = [](const Sort& one) { return one.key == "created_at" || one.key == "id"; };
  if (!std::ranges::all_of(page.sort, sorts)) return invalid_input("Invalid sort key");
  for (const auto& [key, value] : call.query)
    if (!apply_filter(page, key, value)) return std::nullopt;
  return std::optional(std::move(page));
}

std::unexpected<Fault> no_message(std::string_view id) {
  return not_found(fmt::format("Message {} could not be found.", id));
}

Outcome<std::vector<Message>> find(const Workplace& work, const std::optional<MessagePage>& page) {
  if (!page) return std::vector<Message>();
  auto messages = work.records.store().messages(*page);
  if (!messages && messages.error().code == ErrorCode::no_such_volume)
    return no_message(*page->marker);
  return work.records.checked(std::move(messages));
}

Outcome<Content> list(const Workplace& work, const Call& call) {
  if (auto allowed = work.policy.require("message:get_all", call.caller); !allowed)
    return fault_of(allowed);
  auto page = page_for(work, call);
  if (!page) return fault_of(page);
  auto messages = find(work, *page);
  if (!messages) return fault_of(messages);
  Value::Array all;
  for (const auto& message : *messages)
    all.push_back(shown(call, message));
  Value::Object body{{"messages", std::move(all)}};
  auto asked = page_asked(call, work.config.page_limit);
  if (!asked) return fault_of(asked);
  if (!messages->empty() && *asked->limit <= messages->size())
    body.emplace_back("messages_links", next_link(call, "messages", messages->back().id));
  return Content{.body = std::move(body)};
}

// ---- one ----

Outcome<Message> message_for(const Workplace& work, const Call& call, std::string_view rule) {
  auto message = work.records.checked(work.records.store().message(call.at("id")));
  if (!message) return fault_of(message);
  const bool visible =
      *message && (call.caller.is_admin || (*message)->project_id == call.caller.project_id);
  if (!visible) return no_message(call.at("id"));
  if (auto allowed = work.policy.require(rule, call.caller, (*message)->project_id); !allowed)
    return fault_of(allowed);
  return std::move(**message);
}

Outcome<Content> show(const Workplace& work, const Call& call) {
  auto message = message_for(work, call, "message:get");
  if (!message) return fault_of(message);
  return Content{.body = Value::Object{{"message", shown(call, *message)}}};
}

/// Cinder's routes know it, and its resource has nothing for it.
Outcome<Content> no_details(const Workplace& /*work*/, const Call& /*call*/) {
  return not_found(std::string(words::no_resource));
}

Outcome<Content> remove(const Workplace& work, const Call& call) {
  auto message = message_for(work, call, "message:delete");
  if (!message) return fault_of(message);
  auto store = work.records.changing();
  if (!store) return fault_of(store);
  if (auto gone = work.records.checked((*store)->remove_message(message->id)); !gone)
    return fault_of(gone);
  return Content{.status = 204, .by_hand = true};
}

}  // namespace

void add_messages(Api& api, const Workplace& work) {
  api.add(Route{"GET", "messages", at(work, list), messages_began});
  api.add(Route{"GET", "messages/detail", at(work, no_details), messages_began});
  api.add(Route{"GET", "messages/{id}", at(work, show), messages_began});
  api.add(Route{"DELETE", "messages/{id}", at(work, remove), messages_began});
}

}  // namespace volgrow::control::rest
