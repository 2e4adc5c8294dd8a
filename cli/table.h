// SPDX-License-Identifier: Apache-2.0
// Text in aligned columns. The one place where the CLI prints text that came from outside, so the
// one place that makes it printable.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "cli/console.h"

namespace volgrow::cli {

struct Cell {
  std::string text;
  Color color = Color::plain;
};
using Row = std::vector<Cell>;

/// Columns are as wide as their widest cell; a column in which every cell is empty is left out; the
/// last cell of a line is not padded.
void print_table(std::ostream& out, const std::vector<Row>& rows, const Paint& paint);

/// The same, under a line of titles in capitals; a column stays when only its title has text.
void print_table(std::ostream& out, const std::vector<std::string>& titles, std::vector<Row> rows,
                 const Paint& paint);

}  // namespace volgrow::cli
