// SPDX-License-Identifier: Apache-2.0
// How Cinder writes times and hosts, in every place that shows one.
#pragma once

#include <string>
#include <string_view>

#include "core/clock.h"

namespace volgrow::control {

/// "2026-01-02T03:04:05.000678", without a zone: Cinder's API gives naive UTC.
std::string cinder_time(WallTime time);

/// "host@backend#backend": one pool in each back end, of its name.
std::string cinder_host(std::string_view host, std::string_view backend);

/// What Cinder knows a back end's service by: always the same UUID for the same names.
std::string service_uuid(std::string_view host, std::string_view backend);

}  // namespace volgrow::control
