// SPDX-License-Identifier: Apache-2.0
// From an HTTP request to an operation and back, in Cinder's order of checks and with its faults.
// What the operations do is not known here.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "control/rest/auth.h"
#include "control/rest/call.h"
#include "control/rest/faults.h"
#include "control/rest/table.h"
#include "http/message.h"
#include "http/server.h"
#include "service/commits.h"
#include "service/log.h"

namespace volgrow::control::rest {

class Api {
 public:
  struct Options {
    std::string scheme = "http";              ///< of links in answers
    std::string endpoint = "127.0.0.1:8776";  ///< their host, where a request names none
  };

  /// What it is given must outlive it, and every answer that is still to come.
  Api(Authentication& authentication, GroupedCommits& commits, Log& log, Options options)
      : authentication_(authentication),
        commits_(commits),
        log_(log),
        options_(std::move(options)) {}
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  /// Before the first request.
  void add(Route route) { table_.add(std::move(route)); }
  void add(Action action) { table_.add(std::move(action)); }

  /// For http::Server. An operation that throws is a 500 to its client, and nothing to others.
  void answer(http::Request request, http::Answer answer);

 private:
  struct Exchange;
  using Pending = std::unique_ptr<Exchange>;
  struct Ready;

  void serve(Pending pending, Caller caller);
  Outcome<Ready> prepare(const Exchange& exchange, Caller caller, Version version) const;
  Outcome<const Choice*> chosen(const Exchange& exchange, const std::optional<Value>& body) const;
  void run(const Operation& operation, Call call, Pending pending);
  void finish(Pending pending, Outcome<Content> outcome);
  Place place_of(const Exchange& exchange) const;
  std::string root_of(const http::Request& request) const;
  std::string url_of(const http::Request& request) const;

  Authentication& authentication_;
  GroupedCommits& commits_;
  Log& log_;
  Options options_;
  Table table_;
};

}  // namespace volgrow::control::rest
