// SPDX-License-Identifier: Apache-2.0
// What the operations of Cinder's API work with: handed to each of them, owned by the program.
#pragma once

#include "control/config.h"
#include "control/pools.h"
#include "control/provisioning.h"
#include "control/rest/call.h"
#include "control/rest/policy.h"
#include "control/rest/records.h"
#include "core/clock.h"

namespace volgrow::control::rest {

struct Workplace {
  const Records& records;
  const Policy& policy;
  const Pools& pools;
  Provisioning& provisioning;
  const Config& config;
  const Clock& clock;
};

/// An operation that answers at once, at its workplace.
template <class Answering>
Operation at(const Workplace& work, Answering answering) {
  return at_once([work, answering = std::move(answering)](const Call& call) -> Outcome<Content> {
    return answering(work, call);
  });
}

}  // namespace volgrow::control::rest
