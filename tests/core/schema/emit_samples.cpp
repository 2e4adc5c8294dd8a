// SPDX-License-Identifier: Apache-2.0
// Prints every kind of result and report that the codec can write, one JSON text a line, for
// validate.py. Tests nothing itself.
#include <iostream>

#include "tests/core/schema/sample_results.h"

int main() {
  for (const auto& result : volgrow::samples::all_results()) {
    std::cout << to_json(result) << '\n';
    std::cout << to_json(volgrow::samples::report_of(result)) << '\n';
  }
  return std::cout.flush() ? 0 : 1;
}
