// SPDX-License-Identifier: Apache-2.0
// Absence on the bus is 0 or ""; here it becomes null or a word.
#include "cli/views.h"

#include <fmt/format.h>

#include <utility>

#include "core/json.h"
#include "core/units.h"

namespace volgrow::cli {
namespace {

using Event = bus::Client::Event;

Value text_or_null(const std::string& text) {
  return text.empty() ? Value() : Value(text);
}

Value job_or_null(JobId job) {
  return job == 0 ? Value() : Value(job);
}

Value to_value(const PathView& path) {
  return Value::Object{{"device", path.device},
                       {"endpoint", path.endpoint},
                       {"size_bytes", path.size.count()},
                       {"state", path.state}};
}

Value error_of(const JobView& job) {
  if (job.error_name.empty()) return {};
  return Value::Object{{"name", job.error_name}, {"message", job.error_message}};
}

Value result_of(const JobView& job) {
  return parse_json(job.result_json).value_or(Value());
}

std::string_view name_of(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::job_new:
      return "job-new";
    case Event::Kind::job_progress:
      return "job-progress";
    case Event::Kind::job_removed:
      return "job-removed";
    case Event::Kind::volume_resized:
      return "volume-resized";
    case Event::Kind::daemon_gone:
      return "daemon-gone";
  }
  return "?";
}

Color color_of(VolumeState state) {
  switch (state) {
    case VolumeState::ok:
      return Color::good;
    case VolumeState::growing:
    case VolumeState::degraded:
    case VolumeState::unknown:
      return Color::warning;
    case VolumeState::mismatch:
    case VolumeState::shrunk:
      return Color::bad;
  }
  return Color::plain;
}

Value::Object members_of(const Event& event) {
  switch (event.kind) {
    case Event::Kind::job_new:
      return {{"job", event.job}};
    case Event::Kind::job_progress:
      return {{"job", event.job}, {"phase", event.text}};
    case Event::Kind::job_removed:
      return {{"job", event.job}, {"state", event.text}};
    case Event::Kind::volume_resized:
      return {{"volume_id", event.volume_id},
              {"previous_bytes", event.before.count()},
              {"size_bytes", event.after.count()},
              {"origin", event.text}};
    case Event::Kind::daemon_gone:
      return {};
  }
  return {};
}

}  // namespace

Value to_value(const VolumeView& volume) {
  Value::Array paths;
  for (const auto& path : volume.paths)
    paths.push_back(to_value(path));
  return Value::Object{{"id", volume.id},
                       {"wwid", text_or_null(volume.wwid)},
                       {"kind", volume.kind},
                       {"device", text_or_null(volume.device)},
                       {"size_bytes", volume.size.count()},
                       {"target_bytes", volume.target_size.count()},
                       {"state", volgrow::name_of(volume.state)},
                       {"paths", std::move(paths)},
                       {"last_job", job_or_null(volume.last_job)}};
}

Value to_value(const JobView& job) {
  return Value::Object{{"job", job.id},
                       {"operation", volgrow::name_of(job.operation)},
                       {"volume_id", text_or_null(job.volume_id)},
                       {"state", volgrow::name_of(job.state)},
                       {"phase", text_or_null(job.phase)},
                       {"error", error_of(job)},
                       {"started_by_uid", job.started_by_uid},
                       {"started_at", utc_timestamp(job.started_at)},
                       {"result", result_of(job)}};
}

Value to_value(const Event& event) {
  Value::Object members{{"event", name_of(event.kind)}};
  for (auto& member : members_of(event))
    members.push_back(std::move(member));
  return members;
}

std::string to_line(const Event& event) {
  switch (event.kind) {
    case Event::Kind::job_new:
      return fmt::format("job {}  started", event.job);
    case Event::Kind::job_progress:
    case Event::Kind::job_removed:
      return fmt::format("job {}  {}", event.job, event.text);
    case Event::Kind::volume_resized:
      return fmt::format("{}  {} → {} ({} → {} bytes), {}", event.volume_id,
                         human_size(event.before), human_size(event.after), event.before.count(),
                         event.after.count(), event.text);
    case Event::Kind::daemon_gone:
      return "volgrowd went away";
  }
  return "";
}

Cell state_cell(VolumeState state) {
  return {std::string(volgrow::name_of(state)), color_of(state)};
}

Cell state_cell(JobState state) {
  return {std::string(volgrow::name_of(state)), color_of(state)};
}

std::string size_text(Bytes size) {
  return size == Bytes() ? "unknown" : human_size(size);
}

}  // namespace volgrow::cli
