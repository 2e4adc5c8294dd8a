// SPDX-License-Identifier: Apache-2.0
// The queue is in the database; what is here is its copy with what is on its way.
#include "control/deliveries.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/host_states.h"
#include "control/user_messages.h"
#include "core/backoff.h"
#include "core/files.h"
#include "core/text.h"

namespace volgrow::control {
namespace {

constexpr Bytes longest_token{4096};
/// A database that cannot be written now may be writable again soon.
constexpr Duration database_retry = std::chrono::seconds(1);

bool belongs_to_instance(const Attachment& attachment) {
  return attachment.instance_uuid.has_value() && attachment.attach_status == AttachStatus::attached;
}

}  // namespace

Result<void> Deliveries::resume() {
  auto store = needs_.commits.open();
  if (!store) return std::unexpected(std::move(store.error()));
  auto deliveries = (*store)->deliveries();
  if (!deliveries) return std::unexpected(std::move(deliveries.error()));
  for (auto& delivery : *deliveries) {
    delivery.due = needs_.clock.wall();  // whoever could not be reached may be there now
    queue_[delivery.id].delivery = std::move(delivery);
  }
  send_due();
  arm_silence();
  return {};
}

Result<void> Deliveries::queue(Store& store, const Extend& extend,
                               const std::vector<Attachment>& attachments) {
  const auto now = needs_.clock.wall();
  std::map<std::string, Delivery> by_receiver;
  for (auto attachment : attachments) {
    if (!belongs_to_instance(attachment)) continue;
    const auto receiver = receiver_for(needs_.config, attachment.host_name());
    auto& delivery = by_receiver[receiver];
    delivery.receiver = receiver;
    delivery.events.push_back({attachment.id, *attachment.instance_uuid});
    attachment.host = after_growth(now);
    if (auto done = store.change_attachment(attachment); !done) return done;
  }
  for (auto& [receiver, delivery] : by_receiver) {
    delivery.volume_id = extend.volume_id;
    delivery.project_id = extend.project_id;
    delivery.request_id = extend.request_id;
    if (auto done = queue_for(store, std::move(delivery)); !done) return done;
  }
  return {};
}

Result<void> Deliveries::queue_for(Store& store, Delivery delivery) {
  delivery.created_at = delivery.due = needs_.clock.wall();
  auto id = store.add_delivery(delivery);
  if (!id) return std::unexpected(std::move(id.error()));
  delivery.id = *id;
  needs_.commits.after([this, delivery = std::move(delivery)](const Result<void>& durable) {
    if (!durable) return;  // what it tells of was not stored either
    queue_[delivery.id].delivery = delivery;
    send_due();
  });
  return {};
}

void Deliveries::send_due() {
  const auto now = needs_.clock.wall();
  for (auto& [id, waiting] : queue_)
    if (!waiting.sending && waiting.delivery.due <= now) send(waiting);
  arm();
}

std::string Deliveries::token_of(const Address& address) {
  if (address.token_file.empty()) return {};
  const auto token = read_text_file(address.token_file, longest_token);
  if (token) return std::string(trimmed(*token));
  needs_.log.warning(token.error().message);
  return {};
}

void Deliveries::send(Waiting& waiting) {
  const auto id = waiting.delivery.id;
  const auto address = address_of(needs_.config, waiting.delivery.receiver);
  const auto deadline = within(needs_.config.event_time, needs_.clock.now());
  // Without an address the request fails like any other that cannot be made, and is told so.
  auto outgoing = request_for(waiting.delivery, address.value_or(Address{}),
                              address ? token_of(*address) : std::string());
  waiting.sending = needs_.client.send(
      std::move(outgoing), deadline,
      [this, id](const Result<http::Response>& response) { answered(id, response); });
}

void Deliveries::answered(std::int64_t id, const Result<http::Response>& response) {
  auto& waiting = queue_.at(id);
  const auto kept = std::move(waiting.sending);  // until this returns
  auto delivery = waiting.delivery;  // kept when it is durable: what was not is done again
  ++delivery.attempts;
  auto answer = understand(delivery, response);
  answer.again = answer.again && delivery.attempts < needs_.config.most_attempts;
  delivery.due = needs_.clock.wall() + pause_after(delivery, answer);
  auto store = needs_.commits.open();
  const auto recorded =
      store ? record(**store, delivery, answer) : Result<void>(std::unexpected(store.error()));
  if (!recorded) needs_.log.error(recorded.error().message);
  waiting.delivery.due = delivery.due;
  needs_.commits.after([this, id, delivery, done = !answer.again,
                        stored = recorded.has_value()](const Result<void>& durable) {
    if (stored && durable) queue_.at(id).delivery = delivery;
    if (stored && durable && done) queue_.erase(id);  // else it is sent again when it is due
    arm();
    arm_silence();
  });
}

Duration Deliveries::pause_after(const Delivery& delivery, const DeliveryAnswer& answer) {
  if (!answer.again) return database_retry;
  return backoff(delivery.attempts, needs_.config.first_retry, needs_.config.slowest_retry,
                 std::generate_canonical<double, 32>(random_));
}

Result<void> Deliveries::record(Store& store, const Delivery& delivery,
                                const DeliveryAnswer& answer) {
  const auto address = address_of(needs_.config, delivery.receiver);
  for (const auto& event : answer.events) {
    if (!event.taken)
      needs_.log.warning(fmt::format("volume {}: {} was not told that it grew: {}",
                                     delivery.volume_id, delivery.receiver, event.reason),
                         {{field::volume, delivery.volume_id},
                          {field::request, delivery.request_id},
                          {field::host, delivery.receiver}});
    auto done = record_host(store, event, answer.again, !address || address->is_nova);
    if (!done) return done;
  }
  if (!answer.all_taken() && delivery.attempts == 1)
    if (auto done = leave_message(store, delivery); !done) return done;
  return answer.again ? store.change_delivery(delivery) : store.remove_delivery(delivery.id);
}

Result<void> Deliveries::record_host(Store& store, const EventAnswer& event, bool again,
                                     bool behind_nova) {
  auto attachment = store.attachment(event.attachment_id);
  if (!attachment) return std::unexpected(std::move(attachment.error()));
  if (!*attachment) return {};  // detached meanwhile
  auto& host = (*attachment)->host;
  host = after_answer(host, event, again, behind_nova, needs_.config, needs_.clock.wall());
  return store.change_attachment(**attachment);
}

Result<void> Deliveries::leave_message(Store& store, const Delivery& delivery) {
  auto volume = store.volume(delivery.volume_id);
  if (!volume) return std::unexpected(std::move(volume.error()));
  if (!*volume) return {};
  return store.add_message(make_message(**volume, delivery.request_id, Action::extend_volume,
                                        Detail::notifying_failed, needs_.clock.wall()));
}

void Deliveries::arm() {
  std::optional<WallTime> soonest;
  for (const auto& [id, waiting] : queue_)
    if (!waiting.sending && (!soonest || waiting.delivery.due < *soonest))
      soonest = waiting.delivery.due;
  next_.reset();
  if (!soonest) return;
  const auto wait = std::max(Duration::zero(), *soonest - needs_.clock.wall());
  auto watch = needs_.loop.at(needs_.clock.now() + wait, [this] { send_due(); });
  if (watch) next_ = std::move(*watch);
}

// ---- hosts that say nothing ----

void Deliveries::arm_silence() {
  silence_.reset();
  auto store = needs_.commits.open();
  const auto due = store ? (*store)->next_report_due() : Result<std::optional<WallTime>>();
  if (!due || !*due) return;
  const auto wait = std::max(Duration::zero(), **due - needs_.clock.wall());
  auto watch = needs_.loop.at(needs_.clock.now() + wait, [this] { look_for_silence(); });
  if (watch) silence_ = std::move(*watch);
}

void Deliveries::look_for_silence() {
  auto store = needs_.commits.open();
  if (!store) return needs_.log.error(store.error().message);
  auto overdue = (*store)->overdue(needs_.clock.wall());
  if (!overdue) return needs_.log.error(overdue.error().message);
  for (auto& attachment : *overdue)
    if (auto done = after_silence_of(**store, std::move(attachment)); !done)
      return needs_.log.error(done.error().message);
  needs_.commits.after([this](const Result<void>&) { arm_silence(); });
}

Result<void> Deliveries::after_silence_of(Store& store, Attachment attachment) {
  attachment.host = after_silence(attachment.host, needs_.config, needs_.clock.wall());
  needs_.log.warning(
      fmt::format("volume {}: {}", attachment.volume_id, attachment.host.reason),
      {{field::volume, attachment.volume_id}, {field::host, attachment.host_name().value_or("")}});
  if (auto done = store.change_attachment(attachment); !done) return done;
  if (attachment.host.state != HostState::pending) return {};
  Delivery delivery;
  delivery.receiver = receiver_for(needs_.config, attachment.host_name());
  delivery.volume_id = attachment.volume_id;
  delivery.project_id = attachment.project_id;
  delivery.request_id = "req-renotify";
  delivery.events = {{attachment.id, attachment.instance_uuid.value_or("")}};
  return queue_for(store, std::move(delivery));
}

}  // namespace volgrow::control
