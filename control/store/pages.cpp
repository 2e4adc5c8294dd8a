// SPDX-License-Identifier: Apache-2.0
// Names of columns come from here alone; what a client says is bound.
#include "control/store/pages.h"

#include <algorithm>
#include <array>

#include "control/store/columns.h"

namespace volgrow::control {
namespace {

using namespace rows;

struct SortColumn {
  std::string_view key;
  std::string_view column;  ///< nulls sort as the empty text, as the marker's do
};
constexpr std::array sort_columns{
    SortColumn{"id", "id"},
    SortColumn{"name", "coalesce(name, '')"},
    SortColumn{"display_name", "coalesce(name, '')"},
    SortColumn{"description", "coalesce(description, '')"},
    SortColumn{"size", "size"},
    SortColumn{"status", "status"},
    SortColumn{"attach_status", "attach_status"},
    SortColumn{"created_at", "created_at"},
    SortColumn{"updated_at", "coalesce(updated_at, 0)"},
    SortColumn{"availability_zone", "availability_zone"},
    SortColumn{"bootable", "bootable"},
    SortColumn{"volume_type_id", "volume_type_id"},
    SortColumn{"user_id", "user_id"},
    SortColumn{"project_id", "project_id"},
};

Result<std::string_view> column_for(std::string_view key) {
  for (const auto& row : sort_columns)
    if (row.key == key) return row.column;
  return failure(ErrorCode::invalid_args, fmt::format("no such sort key: {}", key));
}

class PageQuery {
 public:
  PageQuery(std::string_view table, const Page& page) : table_(table), page_(page) {
    where("project_id = :project", page.project_id);
  }

  void where(std::string_view condition, const std::optional<std::string>& value) {
    if (value) add(condition, *value);
  }
  void where(std::string_view condition, std::optional<bool> value) {
    if (value) add(condition, static_cast<long long>(*value));
  }
  void where(std::string_view condition, std::optional<Gib> value) {
    if (value) add(condition, static_cast<long long>(*value));
  }
  /// Every one of these is in the metadata. One condition however many they are: SQLite refuses an
  /// expression that is a thousand deep.
  void where_metadata(const std::map<std::string, std::string>& pairs) {
    if (pairs.empty()) return;
    add("not exists (select 1 from json_each(:pairs) as wanted where not exists"
        " (select 1 from json_each(metadata) as has"
        " where has.key = wanted.key and has.value = wanted.value))",
        text_of(pairs));
  }

  void where_moment(std::string_view column, std::string_view compared, WallTime time) {
    add(fmt::format("{} {} :t{}", column, compared, query_.bound.size()), micros(time));
  }

  Query counted() {
    query_.rest = fmt::format("from (select count(*) as number from {}{})", table_, conditions());
    return query_;
  }

  Result<Query> sorted() {
    std::vector<std::string> order;
    std::vector<std::pair<std::string_view, bool>> columns;
    for (const auto& sort : page_.sort) {
      const auto column = column_for(sort.key);
      if (!column) return std::unexpected(column.error());
      columns.emplace_back(*column, sort.ascending);
      order.push_back(fmt::format("{} {}", *column, sort.ascending ? "asc" : "desc"));
    }
    if (page_.marker) start_behind(columns);
    query_.rest = fmt::format("from {}{} order by {} limit {} offset {}", table_, conditions(),
                              fmt::join(order, ", "), limit(), page_.offset);
    return query_;
  }

 private:
  void add(std::string_view condition, std::variant<std::string, long long> value) {
    conditions_.emplace_back(condition);
    query_.bound.push_back(std::move(value));
  }
  std::string conditions() const {
    return conditions_.empty() ? std::string()
                               : fmt::format(" where {}", fmt::join(conditions_, " and "));
  }
  std::string limit() const { return page_.limit ? fmt::to_string(*page_.limit) : "-1"; }

  /// (a, b) behind the marker's: a beyond, or a the same and b beyond. What stands before the
  /// marker is found in the index and not read.
  void start_behind(const std::vector<std::pair<std::string_view, bool>>& columns) {
    const auto same_direction = std::ranges::all_of(
        columns, [&](const auto& column) { return column.second == columns.front().second; });
    if (same_direction) return start_behind_row(columns);
    std::vector<std::string> either;
    std::string equal;
    for (const auto& [column, ascending] : columns) {
      const auto of_marker = marker_value(column);
      either.push_back(
          fmt::format("({}{} {} {})", equal, column, ascending ? ">" : "<", of_marker));
      equal += fmt::format("{} = {} and ", column, of_marker);
    }
    conditions_.push_back(fmt::format("({})", fmt::join(either, " or ")));
    bind_marker(columns.size());  // SQLite takes a name that is repeated for one value
  }
  void start_behind_row(const std::vector<std::pair<std::string_view, bool>>& columns) {
    std::vector<std::string_view> left;
    for (const auto& column : columns)
      left.push_back(column.first);
    conditions_.push_back(fmt::format("({0}) {1} (select {0} from {2} where id = :marker)",
                                      fmt::join(left, ", "), columns.front().second ? ">" : "<",
                                      table_));
    bind_marker(1);
  }
  std::string marker_value(std::string_view column) {
    return fmt::format("(select {} from {} where id = :marker{})", column, table_, ++markers_);
  }
  void bind_marker(std::size_t times) {
    for (std::size_t i = 0; i < times; ++i)
      query_.bound.emplace_back(*page_.marker);
  }

  std::string_view table_;
  const Page& page_;
  Query query_;
  std::vector<std::string> conditions_;
  int markers_ = 0;
};

std::string_view operator_of(Moment::Compared compared) {
  switch (compared) {
    case Moment::Compared::after:
      return ">";
    case Moment::Compared::not_before:
      return ">=";
    case Moment::Compared::same:
      return "=";
    case Moment::Compared::other:
      return "<>";
    case Moment::Compared::before:
      return "<";
    case Moment::Compared::not_after:
      return "<=";
  }
  return "=";
}

PageQuery conditions_of(const VolumePage& page) {
  PageQuery query("volumes", page);
  query.where("id = :id", page.id);
  query.where("project_id = :of_project", page.of_project);
  query.where("user_id = :user", page.user_id);
  query.where("volume_type_id = :type", page.type_id);
  query.where("backend = :backend", page.backend);
  query.where("name = :name", page.name);
  query.where("instr(lower(name), lower(:part)) > 0", page.name_part);
  query.where("status = :status", page.status);
  query.where("attach_status = :attach_status", page.attach_status);
  query.where("migration_status = :migration_status", page.migration_status);
  query.where("availability_zone = :zone", page.availability_zone);
  query.where("bootable = :bootable", page.bootable);
  query.where("multiattach = :multiattach", page.multiattach);
  query.where("size = :size", page.size);
  query.where_metadata(page.metadata);
  for (const auto& moment : page.moments)
    query.where_moment(moment.created ? "created_at" : "updated_at", operator_of(moment.compared),
                       moment.time);
  return query;
}

PageQuery conditions_of(const MessagePage& page) {
  PageQuery query("messages", page);
  query.where("resource_uuid = :resource", page.resource_uuid);
  query.where("request_id = :request", page.request_id);
  query.where("action_id = :action", page.action_id);
  query.where("detail_id = :detail", page.detail_id);
  return query;
}

PageQuery conditions_of(const AttachmentPage& page) {
  PageQuery query("attachments", page);
  query.where("volume_id = :volume", page.volume_id);
  query.where("instance_uuid = :instance", page.instance_uuid);
  query.where("attach_status = :status", page.attach_status);
  return query;
}

}  // namespace

Result<Query> query_for(const VolumePage& page) {
  return conditions_of(page).sorted();
}

Result<Query> query_for(const MessagePage& page) {
  return conditions_of(page).sorted();
}

Result<Query> query_for(const AttachmentPage& page) {
  return conditions_of(page).sorted();
}

Query count_for(const VolumePage& page) {
  return conditions_of(page).counted();
}

}  // namespace volgrow::control
