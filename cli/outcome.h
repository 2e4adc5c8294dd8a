// SPDX-License-Identifier: Apache-2.0
// The end of a job as the CLI has it, from the daemon or from --direct, and how it is shown.
#pragma once

#include <string>

#include "cli/session.h"
#include "core/error.h"
#include "core/result.h"

namespace volgrow::cli {

struct Outcome {
  JobResult result;
  std::string json;  ///< as the daemon wrote it: a newer daemon may say more than we know
};

/// Errors: Internal when it is no result.
Result<Outcome> parse_outcome(std::string json);
Outcome to_outcome(JobResult result);

/// A tree, or with --json one line of JSON, on standard output; the error on standard error.
/// Returns the exit status. `about`: what the error is about when one command line asks for several
/// volumes.
int show(const Session& session, const Outcome& outcome, const std::string& about = {});

/// Contracts §1. plan and explain: 3 when something is wrong with the volume, the error's own
/// status when the question could not be asked.
int exit_status_of(const JobResult& result);

}  // namespace volgrow::cli
