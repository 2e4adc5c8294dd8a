// SPDX-License-Identifier: Apache-2.0
// Only renders what the result says; whether that is good or bad was decided in stack/.
#include "cli/tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <ranges>
#include <string>
#include <vector>

#include "cli/console.h"
#include "cli/table.h"
#include "core/text.h"
#include "core/units.h"

namespace volgrow::cli {
namespace {

/// The layers of one height: a chain has one each, the paths of a map are side by side.
using Level = std::vector<const LayerResult*>;

bool side_by_side(LayerKind kind) {
  return kind == LayerKind::path || kind == LayerKind::nvme_path;
}

/// Top level first. A result lists its layers bottom to top.
std::vector<Level> levels_of(const std::vector<LayerResult>& layers) {
  std::vector<Level> levels;
  for (const auto& layer : layers) {
    const bool joins =
        !levels.empty() && side_by_side(layer.kind) && levels.back().front()->kind == layer.kind;
    if (!joins) levels.emplace_back();
    levels.back().push_back(&layer);
  }
  std::ranges::reverse(levels);
  return levels;
}

/// Rounding must not hide a difference: two sizes that look alike are shown to the byte.
bool look_alike(Bytes a, Bytes b) {
  return a != b && human_size(a) == human_size(b);
}

std::string change(Bytes before, Bytes after, bool verbose) {
  if (before == after) return verbose ? exact_size(after) : human_size(after);
  if (look_alike(before, after)) return fmt::format("{} → {} bytes", before.count(), after.count());
  const auto short_form = fmt::format("{} → {}", human_size(before), human_size(after));
  if (!verbose) return short_form;
  return fmt::format("{} ({} → {} bytes)", short_form, before.count(), after.count());
}

std::string target_note(const LayerResult& layer, bool verbose) {
  const auto shown = layer.after_bytes ? layer.after_bytes : layer.before_bytes;
  if (!layer.target_bytes || shown == layer.target_bytes) return "";
  const bool to_the_byte = verbose || (shown && look_alike(*shown, *layer.target_bytes));
  return fmt::format(", target says {}", to_the_byte ? exact_size(*layer.target_bytes)
                                                     : human_size(*layer.target_bytes));
}

std::string sizes_of(const LayerResult& layer, bool verbose) {
  const auto after = layer.after_bytes ? layer.after_bytes : layer.before_bytes;
  const auto before = layer.before_bytes ? layer.before_bytes : layer.after_bytes;
  const auto kernel = after ? change(*before, *after, verbose) : std::string("size unknown");
  return kernel + target_note(layer, verbose);
}

Color action_color(LayerAction action) {
  switch (action) {
    case LayerAction::none:
    case LayerAction::unchanged:
      return Color::plain;
    case LayerAction::rescanned:
    case LayerAction::resized:
    case LayerAction::readopted:
      return Color::good;
    case LayerAction::planned:
      return Color::strong;
    case LayerAction::evicted:
    case LayerAction::deferred:
    case LayerAction::skipped:
      return Color::warning;
    case LayerAction::refused:
    case LayerAction::failed:
      return Color::bad;
  }
  return Color::plain;
}

std::string action_of(const LayerResult& layer) {
  return layer.action == LayerAction::none ? std::string() : std::string(name_of(layer.action));
}

std::string where(const LayerResult& layer, bool verbose) {
  std::string text;
  const bool endpoint_tells = verbose || layer.address.empty();
  for (const auto* part : {&layer.address, &layer.transport, &layer.endpoint}) {
    if (part->empty() || (part == &layer.endpoint && !endpoint_tells)) continue;
    text += text.empty() ? *part : " " + *part;
  }
  return text;
}

std::string took(Duration span) {
  return span == Duration::zero() ? std::string() : human_duration(span);
}

Row row_of(const LayerResult& layer, const std::string& branch, bool verbose) {
  const auto name =
      layer.name.empty() ? layer.device : fmt::format("{} ({})", layer.device, layer.name);
  return {{fmt::format("{}{}", branch, name_of(layer.kind))},
          {name, Color::strong},
          {where(layer, verbose)},
          {layer.state},
          {sizes_of(layer, verbose)},
          {action_of(layer), action_color(layer.action)},
          {took(layer.duration)},
          {layer.reason}};
}

std::vector<Row> rows_of(const std::vector<Level>& levels, bool verbose) {
  std::vector<Row> rows;
  for (std::size_t depth = 0; depth < levels.size(); ++depth) {
    const auto& level = levels[depth];
    for (const auto* layer : level) {
      const auto* mark = layer == level.back() ? "└─ " : "├─ ";
      rows.push_back(row_of(*layer, std::string(depth * 3, ' ') + mark, verbose));
    }
  }
  return rows;
}

std::string name_of_volume(const JobResult& result) {
  if (!result.volume_id.empty()) return result.volume_id;
  return result.device.empty() ? "volume" : result.device;
}

std::string sizes_of(const JobResult& result) {
  if (!result.size) return result.previous ? ", " + exact_size(*result.previous) : "";
  if (!result.previous || *result.previous == *result.size) return ", " + exact_size(*result.size);
  return ", " + change(*result.previous, *result.size, true);
}

bool anything_planned(const JobResult& result) {
  return std::ranges::find(result.layers, LayerAction::planned, &LayerResult::action) !=
         result.layers.end();
}

/// A plan and an explanation end without doing anything: what they found matters, not "complete".
Cell verdict_of(const JobResult& result) {
  if (result.error) return {std::string(name_of(result.state)), color_of(result.state)};
  if (result.diagnosis) return {"something is wrong", Color::bad};
  if (result.operation == Operation::plan)
    return {anything_planned(result) ? "would grow; nothing was written" : "nothing to do",
            Color::good};
  if (result.operation == Operation::explain) return {"healthy", Color::good};
  return {std::string(name_of(result.state)), color_of(result.state)};
}

void print_headline(std::ostream& out, const JobResult& result, const Paint& paint) {
  const auto job = result.job == 0 ? std::string() : fmt::format("job {}: ", result.job);
  const auto verdict = verdict_of(result);
  out << job << name_of(result.operation) << ' '
      << paint(Color::strong, printable(name_of_volume(result))) << ": "
      << paint(verdict.color, verdict.text) << sizes_of(result);
  if (result.duration > Duration::zero()) out << ", in " << human_duration(result.duration);
  out << '\n';
}

void print_identity(std::ostream& out, const JobResult& result, const Paint& paint) {
  if (result.device.empty()) return;
  Row row{{result.device}};
  if (result.wwid) row.push_back({to_string(*result.wwid)});
  if (result.identity != IdentityProof::unknown)
    row.push_back({fmt::format("identity {}", name_of(result.identity))});
  print_table(out, {row}, paint);
}

const LayerResult& slowest(const Level& level) {
  return **std::ranges::max_element(level, {}, [](const auto* layer) { return layer->duration; });
}

/// The paths of a level work at the same time, so a level took as long as its slowest layer.
void print_time(std::ostream& out, const JobResult& result, const std::vector<Level>& levels) {
  std::vector<std::string> parts;
  Duration in_layers{};
  for (const auto& level : levels) {
    const auto& layer = slowest(level);
    if (layer.duration == Duration::zero()) continue;
    in_layers += layer.duration;
    const auto note = level.size() == 1 ? "" : fmt::format(" (slowest of {})", level.size());
    parts.push_back(
        fmt::format("{}{} {}", printable(layer.device), note, human_duration(layer.duration)));
  }
  if (parts.empty() || result.duration <= Duration::zero()) return;
  if (result.duration > in_layers)
    parts.push_back(fmt::format("everything else {}", human_duration(result.duration - in_layers)));
  out << fmt::format("where the time went: {}\n", fmt::join(parts, ", "));
}

void print_diagnosis(std::ostream& out, const Diagnosis& diagnosis, const Paint& paint) {
  const auto device = diagnosis.device.empty() ? "" : diagnosis.device + ": ";
  print_table(out,
              {{{"wrong", Color::bad}, {device + diagnosis.problem}},
               {{"fix", Color::strong}, {diagnosis.fix}}},
              paint);
}

}  // namespace

void print_tree(std::ostream& out, const JobResult& result, TreeStyle style) {
  const Paint paint(style.color);
  const auto levels = levels_of(result.layers);
  print_headline(out, result, paint);
  print_identity(out, result, paint);
  print_table(out, rows_of(levels, style.verbose), paint);
  print_time(out, result, levels);
  if (result.diagnosis) print_diagnosis(out, *result.diagnosis, paint);
}

}  // namespace volgrow::cli
