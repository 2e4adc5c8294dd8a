// SPDX-License-Identifier: Apache-2.0
// Runs --direct's work in a child of this program, never another program: a process one of whose
// threads sleeps uninterruptibly cannot be reaped, so the one the shell waits for must not be that
// one.
#pragma once

#include <functional>

namespace volgrow::cli {

/// The status that `work` returned, as soon as it is known, whether or not the child can end. Call
/// it while there is one thread only.
int run_apart(const std::function<int()>& work);

}  // namespace volgrow::cli
