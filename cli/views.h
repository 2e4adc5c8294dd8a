// SPDX-License-Identifier: Apache-2.0
// Volumes, jobs and events as JSON and as lines for people. Members are named as in
// result.schema.json where they mean the same.
#pragma once

#include <string>

#include "cli/table.h"
#include "core/model.h"
#include "core/value.h"
#include "dbus/client.h"

namespace volgrow::cli {

Value to_value(const VolumeView& volume);
Value to_value(const JobView& job);
Value to_value(const bus::Client::Event& event);

/// "job 17  started", "job 17  growing", "vol-1  10 GiB → 20 GiB (event)"; not yet printable.
std::string to_line(const bus::Client::Event& event);

Cell state_cell(VolumeState state);
Cell state_cell(JobState state);

/// "20 GiB"; for a volume whose size nobody could read, "unknown".
std::string size_text(Bytes size);

}  // namespace volgrow::cli
