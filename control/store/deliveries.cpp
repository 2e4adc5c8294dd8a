// SPDX-License-Identifier: Apache-2.0
// Events that are still to be delivered.
#include "control/store/columns.h"
#include "control/store/sqlite_store.h"

namespace volgrow::control {
namespace {

using namespace rows;

std::string text_of(const std::vector<Delivery::Event>& events) {
  Value::Array array;
  for (const auto& event : events)
    array.push_back(Value::Array{event.attachment_id, event.instance_uuid});
  return to_json(Value(std::move(array)));
}

std::vector<Delivery::Event> events_in(const std::string& json) {
  std::vector<Delivery::Event> events;
  const auto value = value_in(json);
  if (!value.array()) return events;
  for (const auto& pair : *value.array())
    if (const auto* parts = pair.array(); parts && parts->size() == 2)
      events.push_back({*parts->at(0).text(), *parts->at(1).text()});
  return events;
}

template <class Row>
Row row_of(const Delivery& delivery) {
  Row row;
  row.id = delivery.id;
  row.receiver = delivery.receiver;
  row.volume_id = delivery.volume_id;
  row.project_id = delivery.project_id;
  row.request_id = delivery.request_id;
  row.events = text_of(delivery.events);
  row.attempts = delivery.attempts;
  row.due = micros(delivery.due);
  row.created_at = micros(delivery.created_at);
  return row;
}

Delivery delivery_of(const DeliveryRow& row) {
  return {.id = row.id,
          .receiver = row.receiver,
          .volume_id = row.volume_id,
          .project_id = row.project_id,
          .request_id = row.request_id,
          .events = events_in(row.events),
          .attempts = static_cast<std::uint32_t>(row.attempts),
          .due = time_of(row.due),
          .created_at = time_of(row.created_at)};
}

}  // namespace

Result<std::int64_t> SqliteStore::add_delivery(const Delivery& delivery) {
  return add("deliveries",
             [&] { tables().new_deliveries.insert(row_of<NewDeliveryRow>(delivery)); });
}

Result<std::vector<Delivery>> SqliteStore::deliveries() {
  return perform([&]() -> Result<std::vector<Delivery>> {
    return values_of(rows_of<DeliveryRow>(sql(), "from deliveries order by due, id"), delivery_of);
  });
}

Result<void> SqliteStore::change_delivery(const Delivery& delivery) {
  return change([&] { tables().deliveries.update(row_of<DeliveryRow>(delivery)); });
}

Result<void> SqliteStore::remove_delivery(std::int64_t id) {
  return change([&] { tables().deliveries.remove(id); });
}

}  // namespace volgrow::control
