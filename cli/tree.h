// SPDX-License-Identifier: Apache-2.0
// A job's result for people: the stack as a tree, what the consumer opens first, each layer's size
// before → after, what was done and why, and where the time went.
#pragma once

#include <ostream>

#include "core/result.h"

namespace volgrow::cli {

struct TreeStyle {
  bool color = false;
  bool verbose = false;  ///< exact byte counts and end points everywhere
};

void print_tree(std::ostream& out, const JobResult& result, TreeStyle style);

}  // namespace volgrow::cli
