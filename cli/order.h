// SPDX-License-Identifier: Apache-2.0
// What the command line asks of one volume: the options that extend, rescan, plan and explain
// share, and the typed order they become. Checked here, before anybody is asked anything.
#pragma once

#include <optional>
#include <string>

#include "cli/syntax.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/request.h"

namespace volgrow::cli {

struct Order {
  Operation operation = Operation::extend;
  Subject subject;
  std::optional<Bytes> expected;
  RequestOptions options;
};

/// The request that --direct runs for this order.
Request to_request(const Order& order);

/// Cinder's connection_info from a file, or from `standard_input` when `file` is "-"; at most 256
/// KiB, secrets gone. Errors: InvalidArgs, BadConnectionInfo, both naming the option.
Result<ConnectionInfo> read_connection(const std::string& file, int standard_input);

/// Errors: InvalidArgs, also for connection_info typed as an argument: its secrets would be in the
/// process list.
Result<Target> read_target(const std::string& text);

Result<Duration> read_timeout(const std::string& text);

/// The text of options as typed, and their meaning once the line is parsed.
class OrderOptions {
 public:
  Argument target();
  Argument connection();  ///< excludes target()
  Argument expect();
  Argument exact();  ///< needs expect()
  Argument dead_paths();
  Argument timeout();

  /// Errors: InvalidArgs or BadConnectionInfo that names the option and what belongs there.
  Result<Order> read(Operation operation, int standard_input) const;

 private:
  Result<Subject> read_subject(int standard_input) const;
  Result<std::optional<Bytes>> read_expect() const;
  Result<RequestOptions> read_options() const;

  std::string target_;
  std::string connection_;
  std::string expect_;
  std::string timeout_ = "30s";
  std::string dead_paths_;  ///< empty: the daemon's policy
  bool exact_ = false;
};

}  // namespace volgrow::cli
