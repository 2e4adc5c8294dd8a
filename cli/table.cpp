// SPDX-License-Identifier: Apache-2.0
// Columns are counted in code points: wide enough for names, arrows and box drawing.
#include "cli/table.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/text.h"

namespace volgrow::cli {
namespace {

constexpr std::string_view gap = "  ";

std::size_t width_of(std::string_view text) {
  const auto starts_a_code_point = [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
  };
  return static_cast<std::size_t>(std::ranges::count_if(text, starts_a_code_point));
}

std::vector<Row> made_printable(std::vector<Row> rows) {
  for (auto& row : rows)
    for (auto& cell : row)
      cell.text = printable(cell.text);
  return rows;
}

std::vector<std::size_t> widths_of(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], width_of(row[i].text));
  }
  return widths;
}

/// One past the last cell of `row` that has text.
std::size_t end_of(const Row& row) {
  auto end = row.size();
  while (end > 0 && row[end - 1].text.empty())
    --end;
  return end;
}

void print_row(std::ostream& out, const Row& row, const std::vector<std::size_t>& widths,
               const Paint& paint) {
  const auto end = end_of(row);
  bool first = true;
  for (std::size_t i = 0; i < end; ++i) {
    if (widths[i] == 0) continue;
    if (!std::exchange(first, false)) out << gap;
    out << paint(row[i].color, row[i].text);
    if (i + 1 < end) out << std::string(widths[i] - width_of(row[i].text), ' ');
  }
  out << '\n';
}

}  // namespace

void print_table(std::ostream& out, const std::vector<Row>& rows, const Paint& paint) {
  const auto shown = made_printable(rows);
  const auto widths = widths_of(shown);
  for (const auto& row : shown)
    print_row(out, row, widths, paint);
}

void print_table(std::ostream& out, const std::vector<std::string>& titles, std::vector<Row> rows,
                 const Paint& paint) {
  Row head;
  for (const auto& title : titles)
    head.push_back({title, Color::strong});
  rows.insert(rows.begin(), std::move(head));
  print_table(out, rows, paint);
}

}  // namespace volgrow::cli
