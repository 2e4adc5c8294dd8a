// SPDX-License-Identifier: Apache-2.0
// What Cinder has no words for: /volgrow/v1. Hosts report there, and an operator sees whether a
// guest can use its bytes without logging in to a hypervisor.
#pragma once

#include "backend/client.h"
#include "control/config.h"
#include "control/report_tokens.h"
#include "control/reports.h"
#include "control/rest/auth.h"
#include "control/rest/records.h"
#include "http/server.h"

namespace volgrow::control::rest {

class OwnApi {
 public:
  struct Needs {
    Authentication& authentication;
    const Records& records;
    Commits& commits;
    backend::Client& backends;
    Reports& reports;
    const ReportTokens& tokens;
    const Config& config;
    const Clock& clock;
  };
  explicit OwnApi(Needs needs) : needs_(needs) {}

  /// Whether a path is one of ours: everything beneath /volgrow/.
  static bool serves(std::string_view path);
  void answer(http::Request request, http::Answer answer);

 private:
  void take_reports(const http::Request& request, http::Answer answer);
  http::Response store_reports(const std::string& host, const Value& body);
  void show_extension(const std::string& volume_id, const Caller& caller, http::Answer answer);

  Needs needs_;
};

/// One volume's growth as everybody knows it: docs/extension.schema.json. `measured` is what the
/// back end says now.
Value extension_of(const Volume& volume, const std::optional<Extend>& extend,
                   const std::vector<std::pair<Attachment, std::optional<StoredReport>>>& hosts,
                   const Result<backend::Measured>& measured);

}  // namespace volgrow::control::rest
