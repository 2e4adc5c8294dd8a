// SPDX-License-Identifier: Apache-2.0
// The words for a volume's state on the bus.
#include "core/model.h"

#include "core/names.h"

namespace volgrow {
namespace {

constexpr std::array volume_states{
    Named{VolumeState::ok, "ok"},
    Named{VolumeState::growing, "growing"},
    Named{VolumeState::degraded, "degraded"},
    Named{VolumeState::mismatch, "mismatch"},
    Named{VolumeState::shrunk, "shrunk"},
    Named{VolumeState::unknown, "unknown"},
};

}  // namespace

std::string_view name_of(VolumeState state) {
  return name_in(volume_states, state);
}

}  // namespace volgrow
