// SPDX-License-Identifier: Apache-2.0
// One report: whose, of what, believable, new; then the host's state.
#include "control/reports.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/host_states.h"
#include "core/units.h"

namespace volgrow::control {

Bytes largest_believable(const Volume& volume, const std::optional<Extend>& extend) {
  return bytes_of(extend ? std::max(extend->new_size, volume.size) : volume.size);
}

ReportVerdict Reports::refuse(const std::string& host, const Report& report, std::string reason) {
  ++refused_;
  needs_.log.warning(fmt::format("report {} of {} refused: {}", report.sequence, host, reason),
                     {{field::host, host}, {field::volume, report.result.volume_id}});
  return {report.sequence, std::move(reason)};
}

Result<ReportVerdict> Reports::take(const std::string& host, const Report& report) {
  auto opened = needs_.commits.open();
  if (!opened) return std::unexpected(std::move(opened.error()));
  auto& store = **opened;
  const auto& id = report.result.volume_id;
  auto volume = store.volume(id);
  if (!volume) return std::unexpected(std::move(volume.error()));
  if (!*volume) return refuse(host, report, fmt::format("there is no volume '{}'", id));
  auto attachments = store.attachments_of(id);
  if (!attachments) return std::unexpected(std::move(attachments.error()));
  const auto here = std::ranges::find(*attachments, std::optional(host), &Attachment::host_name);
  if (here == attachments->end())
    return refuse(host, report, fmt::format("volume {} is not attached to host {}", id, host));
  const auto extend = store.extend_of(id);
  if (!extend) return std::unexpected(extend.error());
  const auto most = largest_believable(**volume, *extend);
  if (report.result.volume && *report.result.volume > most)
    return refuse(host, report,
                  fmt::format("volume {} has {} and the report says {}", id, exact_size(most),
                              exact_size(*report.result.volume)));
  return store_for(store, host, report, **volume, *here);
}

Result<ReportVerdict> Reports::store_for(Store& store, const std::string& host,
                                         const Report& report, const Volume& volume,
                                         Attachment attachment) {
  const auto now = needs_.clock.wall();
  auto added = store.add_report({.host = host,
                                 .journal = report.journal,
                                 .sequence = report.sequence,
                                 .volume_id = volume.id,
                                 .attachment_id = attachment.id,
                                 .result = to_json(report.result),
                                 .received_at = now});
  if (!added) return std::unexpected(std::move(added.error()));
  const ReportVerdict verdict{report.sequence, {}};
  if (!*added) return verdict;
  ++stored_;
  attachment.host = after_report(attachment.host, report.result, bytes_of(volume.size), now);
  if (auto done = store.change_attachment(attachment); !done)
    return std::unexpected(std::move(done.error()));
  needs_.log.info(
      fmt::format("volume {}: host {} is {}", volume.id, host, name_of(attachment.host.state)),
      {{field::volume, volume.id}, {field::host, host}});
  return verdict;
}

}  // namespace volgrow::control
