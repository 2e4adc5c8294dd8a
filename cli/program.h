// SPDX-License-Identifier: Apache-2.0
// The command line as a whole: parses it, runs the one command it names, prints the error if there
// is one, and gives the exit status of contracts §1.
#pragma once

#include "cli/session.h"

namespace volgrow::cli {

int run(int argc, const char* const* argv, Surroundings& around);

}  // namespace volgrow::cli
