// SPDX-License-Identifier: Apache-2.0
// The routes and actions, and which of them a path means. Built once, before the first request.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/rest/call.h"
#include "control/rest/microversion.h"

namespace volgrow::control::rest {

/// A route is served in a range of microversions; several of one method and pattern may share them.
struct Route {
  std::string_view method;  ///< "GET"; "*" is any
  /// Beneath /v3 and beneath /v3/<project id>: "volumes/{id}/action". One that begins with "/"
  /// stands for itself, and is authenticated like the others: "/volgrow/v1/volumes/{id}".
  std::string_view pattern;
  Operation operation;
  Version since = first_version;
  Version until = last_version;
  bool open = false;  ///< to everybody: the caller is nobody
};

/// What a POST to "<collection>/{id}/action" does when its body's one key is `name`.
struct Action {
  std::string_view collection;
  std::string_view name;
  Operation operation;
  Version since = first_version;
  Version until = last_version;
};

/// All of a method and a path, of any microversion; one of them fits.
class Choice {
 public:
  void add(Version since, Version until, Operation operation) {
    ranges_.push_back({since, until, std::move(operation)});
  }
  const Operation* in(Version version) const {
    for (const auto& range : ranges_)
      if (version >= range.since && version <= range.until) return &range.operation;
    return nullptr;
  }

 private:
  struct Range {
    Version since;
    Version until;
    Operation operation;
  };
  std::vector<Range> ranges_;
};

class Table {
 public:
  using Segments = std::vector<std::string>;
  using PathValues = std::vector<std::pair<std::string_view, std::string>>;

  struct Match {
    /// Null where Cinder's routes know path and method, and its resource has nothing for them.
    const Choice* choice = nullptr;
    std::string_view collection;         ///< not empty for "<collection>/{id}/action"
    std::optional<std::string> project;  ///< as the path has it
    bool open = false;
    PathValues values;
  };

  void add(Route route);
  void add(Action action);

  /// `segments` are those of the whole path. Nothing when there is no such route.
  std::optional<Match> find(std::string_view method, const Segments& segments) const;
  /// Null for an action that nobody knows.
  const Choice* action(std::string_view collection, std::string_view name) const;

 private:
  struct Entry {
    std::string method;
    Segments segments;
    std::size_t places;  ///< how many of them are "{…}"
    bool open;
    Choice choice;
  };
  using Entries = std::vector<Entry>;
  using Rest = std::pair<Segments::const_iterator, Segments::const_iterator>;

  Entry& entry_for(Entries& entries, const Route& route, Segments segments);
  static bool fits(const Entry& entry, Rest path);
  static bool is_form(std::string_view method, Rest path);
  static std::optional<Match> find_in(const Entries& entries, std::string_view method, Rest path);
  static std::optional<Match> find_beneath(const Entries& entries, std::string_view method,
                                           Rest path);
  const Entries* entries_of(Rest path) const;

  std::map<std::string, Entries, std::less<>> by_first_;   ///< by their first segment
  std::map<std::string, Entries, std::less<>> elsewhere_;  ///< the same, not beneath /v3
  /// By collection, then by name.
  std::map<std::string, std::map<std::string, Choice, std::less<>>, std::less<>> actions_;
};

}  // namespace volgrow::control::rest
