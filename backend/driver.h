// SPDX-License-Identifier: Apache-2.0
// What a kind of storage can do, one class a kind. It blocks: it is called in lanes, never on the
// loop, for one volume at a time. It remembers nothing: what is, is asked of the storage and the
// kernel, so that a repeat after any interruption does what is still to be done.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "backend/protocol.h"
#include "backend/settings.h"
#include "core/clock.h"
#include "core/error.h"

namespace volgrow::backend {

/// Success and errors of each verb: protocol.h. Const, because several lanes use one driver.
class Driver {
 public:
  virtual ~Driver() = default;

  virtual Result<Capabilities> capabilities() const = 0;
  virtual Result<Measured> create(const std::string& id, Bytes size) const = 0;
  virtual Result<Measured> size(const std::string& id) const = 0;
  virtual Result<Measured> extend(const std::string& id, Bytes size, Deadline deadline) const = 0;
  virtual Result<Removed> remove(const std::string& id, Deadline deadline) const = 0;
  /// Cinder's initialize_connection.
  virtual Result<Connection> export_to(const std::string& id, const Attachment& to,
                                       Deadline deadline) const = 0;
  /// Cinder's terminate_connection.
  virtual Result<Unexported> unexport(const std::string& id, const Attachment& from,
                                      Deadline deadline) const = 0;
};

inline Result<Measured> measured(Result<Bytes> size) {
  if (!size) return std::unexpected(std::move(size.error()));
  return Measured{*size};
}

/// The driver's verb for this call.
Result<Outcome> perform(const Driver& driver, const Call& call, Deadline deadline);

/// The clock is shared, because a thread that is left behind at the end still looks at it.
using SharedClock = std::shared_ptr<const Clock>;
std::shared_ptr<const Driver> file_driver(const BackEnd& settings, SharedClock clock);
std::shared_ptr<const Driver> tgt_driver(const BackEnd& settings, SharedClock clock);
std::shared_ptr<const Driver> make_driver(const BackEnd& settings, SharedClock clock);

}  // namespace volgrow::backend
