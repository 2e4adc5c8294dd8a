// SPDX-License-Identifier: Apache-2.0
// A program's SQLite database through SOCI: opened, owned by one process, its schema brought up to
// date, its writes grouped, its exceptions made Errors. For the .cpp of a store; what the rows mean
// is told there.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <soci/soci.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "core/fd.h"
#include "service/commits.h"

namespace volgrow {

/// Whose database it is, and how it came to look as it does.
struct DatabaseKind {
  std::string_view what;                 ///< "journal"
  std::string_view program;              ///< "volgrowd"
  std::string_view loss;                 ///< "pins and jobs in it are lost, volumes are not"
  int application_id = 0;                ///< so that file(1) and we know whose file it is
  std::vector<std::string_view> schema;  ///< statements that make version 1
  /// What each version added to the one before it: a database of any older version is brought up by
  /// these, a new one is made with all of them.
  std::vector<std::string_view> additions;
  /// What a new database holds from the beginning; inside the transaction that makes it.
  std::function<void(soci::session&)> seed;

  int version() const { return static_cast<int>(additions.size()) + 1; }
};

class Database final : public Grouping {
 public:
  /// Opens or creates `path` (0600), and locks all others out while this lives. Errors: Busy, or
  /// Internal that says what is wrong with the database and what to do.
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& path,
                                                const DatabaseKind& kind);
  /// The same file for looking only, beside its owner: not locked, not made, not changed. Errors:
  /// Internal, also where there is none.
  static Result<std::unique_ptr<Database>> look(const std::filesystem::path& path,
                                                const DatabaseKind& kind);
  Database(Fd lock, std::string path, const DatabaseKind& kind);

  Result<void> begin() override;
  Result<void> commit() override;

  /// Runs `work`, which returns a Result and may throw what SOCI throws.
  template <class Work>
  auto perform(Work work) -> decltype(work()) {
    if (broken_) return std::unexpected(*broken_);
    try {
      return work();
    } catch (const soci::soci_error& error) {
      return std::unexpected(failed(error));
    }
  }
  /// After a failed step SOCI's SQLite statements are finalised and never work again: who keeps
  /// prepared ones drops them when told so here.
  void on_failure(std::function<void()> forget_statements) {
    forget_ = std::move(forget_statements);
  }

  soci::session& sql() { return sql_; }
  const std::string& path() const { return path_; }

  /// One method's statements as a whole, when no group is open that will commit them.
  class Whole {
   public:
    explicit Whole(Database& database) : database_(database), own_(!database.grouped_) {
      if (own_) database_.sql_ << "begin immediate";
    }
    Whole(const Whole&) = delete;
    Whole& operator=(const Whole&) = delete;
    ~Whole() {
      if (own_ && !committed_) database_.roll_back();
    }
    void commit() {
      if (own_) database_.sql_ << "commit";
      committed_ = true;
    }

   private:
    Database& database_;
    bool own_;
    bool committed_ = false;
  };

 private:
  Result<void> start();
  Result<void> start_looking();
  Result<void> bring_up();
  Result<void> check_schema();
  void create_schema();
  void bring_up_from(long long version);
  Error failed(const soci::soci_error& error);
  void roll_back() noexcept;

  Fd lock_;
  std::string path_;
  const DatabaseKind& kind_;
  bool grouped_ = false;
  std::optional<Error> broken_;  ///< why the open group cannot be committed any more
  std::function<void()> forget_;
  soci::session sql_;
};

namespace rows {

// ---- integers and times, as SQLite keeps them: it has no unsigned integer ----

inline long long bits(std::uint64_t number) {
  return static_cast<long long>(number);
}
inline std::uint64_t unsigned_of(long long stored) {
  return static_cast<std::uint64_t>(stored);
}
inline long long micros(WallTime time) {
  return time.time_since_epoch().count();
}
inline WallTime time_of(long long stored) {
  return WallTime(Duration(stored));
}

// ---- rows: a struct names its columns once, in each(), beside the fields that hold them ----

struct NumberRow {
  long long number = 0;

  template <class Each>
  void each(Each each) {
    each("number", number);
  }
};

inline void make_ready(soci::statement& statement, const std::string& query) {
  statement.alloc();
  statement.prepare(query);
  statement.define_and_bind();
}

template <class Row>
std::string column_list(Row row) {
  std::vector<std::string> names;
  row.each([&](const char* name, auto&...) { names.emplace_back(name); });
  return fmt::format("{}", fmt::join(names, ", "));
}

/// "insert into <table> (a, b) values (:a, :b)".
template <class Row>
std::string insert_query(std::string_view table, Row row) {
  std::vector<std::string> names;
  row.each([&](const char* name, auto&...) { names.emplace_back(name); });
  return fmt::format("insert into {} ({}) values (:{})", table, fmt::join(names, ", "),
                     fmt::join(names, ", :"));
}

/// All rows of `select <columns of Row> <rest>`; the statement runs to its end, so it holds no
/// snapshot that would keep the write-ahead log from being recycled.
template <class Row, class... Bound>
std::vector<Row> rows_of(soci::session& sql, std::string_view rest, Bound... bound) {
  Row row;
  soci::statement statement(sql);
  row.each([&](const char*, auto&... place) { statement.exchange(soci::into(place...)); });
  (statement.exchange(soci::use(bound)), ...);
  make_ready(statement, fmt::format("select {} {}", column_list(row), rest));
  statement.execute();
  std::vector<Row> rows;
  while (statement.fetch())
    rows.push_back(row);
  return rows;
}

template <class... Bound>
long long number_of(soci::session& sql, std::string_view expression_and_rest, Bound... bound) {
  const auto rows =
      rows_of<NumberRow>(sql, fmt::format("from (select {})", expression_and_rest), bound...);
  return rows.empty() ? 0 : rows.front().number;
}

/// Where a prepared statement's values come from and its columns go to.
struct Places {
  soci::statement& statement;
  void use(auto&... place) { statement.exchange(soci::use(place...)); }
  void into(auto&... place) { statement.exchange(soci::into(place...)); }
};

/// A statement that is prepared once and run for many rows: set `row`, then run. It must not move:
/// SOCI keeps the addresses of the row's fields.
template <class Row>
class Prepared {
 public:
  template <class Bind>
  Prepared(soci::session& sql, const std::string& query, Bind bind) : statement_(sql) {
    bind(row, Places{statement_});
    make_ready(statement_, query);
  }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  Row row;
  void run() { statement_.execute(true); }
  long long affected() { return statement_.get_affected_rows(); }
  /// For a query of one row at most. It is run to its end, as rows_of does and why.
  bool found() {
    const bool any = statement_.execute(true);
    while (any && statement_.fetch()) {
    }
    return any;
  }

 private:
  soci::statement statement_;
};

/// One table whose rows have a key in their first column. Each statement is prepared when it is
/// first run, and then kept.
template <class Row>
class Table {
 public:
  using Key = typename Row::Key;

  Table(soci::session& sql, std::string name) : sql_(sql), name_(std::move(name)) {}

  void insert(Row row) {
    const auto query = insert_query(name_, row);
    run(insert_, query, std::move(row));
  }
  void update(Row row) {
    std::vector<std::string> sets;
    row.each([&](const char* name, auto&...) { sets.push_back(fmt::format("{0} = :{0}", name)); });
    run(update_,
        fmt::format("update {} set {} where {}", name_, fmt::join(sets, ", "), sets.front()),
        std::move(row));
  }
  std::optional<Row> find(const Key& key) {
    if (!find_)
      find_.emplace(sql_,
                    fmt::format("select {} from {} where {} = :wanted", column_list(Row()), name_,
                                key_name()),
                    [](Keyed& keyed, Places at) {
                      keyed.row.each([&](const char*, auto&... place) { at.into(place...); });
                      at.use(keyed.key);
                    });
    find_->row.key = key;
    if (!find_->found()) return std::nullopt;
    return find_->row.row;
  }
  void remove(const Key& key) {
    if (!remove_)
      remove_.emplace(sql_, fmt::format("delete from {} where {} = :key", name_, key_name()),
                      [](Keyed& keyed, Places at) { at.use(keyed.key); });
    remove_->row.key = key;
    remove_->run();
  }

 private:
  struct Keyed {
    Row row;
    Key key{};
  };

  static std::string key_name() {
    std::string first;
    Row().each([&](const char* name, auto&...) {
      if (first.empty()) first = name;
    });
    return first;
  }
  void run(std::optional<Prepared<Row>>& statement, const std::string& query, Row row) {
    if (!statement)
      statement.emplace(sql_, query, [](Row& into, Places at) {
        into.each([&](const char*, auto&... place) { at.use(place...); });
      });
    statement->row = std::move(row);
    statement->run();
  }

  soci::session& sql_;
  std::string name_;
  std::optional<Prepared<Row>> insert_, update_;
  std::optional<Prepared<Keyed>> find_, remove_;
};

/// A column that may be null: each("name", name.value, name.state).
template <class T>
struct Nullable {
  T value{};
  soci::indicator state = soci::i_null;

  Nullable() = default;
  explicit Nullable(std::optional<T> from)
      : value(from ? std::move(*from) : T{}), state(from ? soci::i_ok : soci::i_null) {}
  std::optional<T> get() const { return state == soci::i_ok ? std::optional(value) : std::nullopt; }
};

/// A statement that is put together at run time, with its values in their order.
struct Query {
  std::string rest;
  std::vector<std::variant<std::string, long long>> bound;
};
template <class Row>
std::vector<Row> rows_of(soci::session& sql, const Query& query) {
  Row row;
  soci::statement statement(sql);
  row.each([&](const char*, auto&... place) { statement.exchange(soci::into(place...)); });
  for (const auto& value : query.bound)
    std::visit([&](const auto& plain) { statement.exchange(soci::use(plain)); }, value);
  make_ready(statement, fmt::format("select {} {}", column_list(row), query.rest));
  statement.execute();
  std::vector<Row> rows;
  while (statement.fetch())
    rows.push_back(row);
  return rows;
}

/// Every row as a value, or the first one's error.
template <class Row, class Convert>
auto all_of(const std::vector<Row>& rows, Convert convert)
    -> Result<std::vector<typename decltype(convert(rows.front()))::value_type>> {
  std::vector<typename decltype(convert(rows.front()))::value_type> values;
  values.reserve(rows.size());
  for (const auto& row : rows) {
    auto value = convert(row);
    if (!value) return std::unexpected(std::move(value.error()));
    values.push_back(std::move(*value));
  }
  return values;
}

}  // namespace rows
}  // namespace volgrow
