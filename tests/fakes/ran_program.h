// SPDX-License-Identifier: Apache-2.0
// A program that ran to its end, and what it left: its status and its output. For tests of whole
// processes.
#pragma once

#include <string>
#include <vector>

namespace volgrow::testing {

struct RanProgram {
  int status = -1;  ///< exit status; 1000 and the signal's number when one ended it
  std::string out;
  std::string err;
};

/// Without a controlling terminal, standard input empty. `environment`: "NAME=value", beside the
/// caller's own.
RanProgram run_program(const std::vector<std::string>& words,
                       const std::vector<std::string>& environment = {});

/// On a terminal of its own, where `typed` is typed once `prompt` has been shown. `out` is all that
/// the terminal showed.
RanProgram run_on_terminal(const std::vector<std::string>& words, const std::string& prompt,
                           const std::string& typed);

}  // namespace volgrow::testing
