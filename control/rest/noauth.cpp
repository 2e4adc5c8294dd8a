// SPDX-License-Identifier: Apache-2.0
// cinder/api/middleware/auth.py (NoAuthMiddlewareBase).
#include "control/rest/auth.h"

namespace volgrow::control::rest {
namespace {

std::string field_or(const http::Request& request, std::string_view name, std::string otherwise) {
  const auto* value = request.fields.find(name);
  if (value != nullptr) return *value;
  return otherwise;
}

/// A token to come back with, and where to.
http::Response offered_token(const Unidentified& asking) {
  auto url = asking.url;
  while (url.ends_with('/'))
    url.pop_back();
  const auto token = field_or(asking.request, "X-Auth-User", "admin") + ":" +
                     field_or(asking.request, "X-Auth-Project-Id", "admin");
  return {.status = 204,
          .fields = {{"X-Auth-Token", token},
                     {"X-Server-Management-Url", std::move(url)},
                     {"Content-Type", "text/plain; charset=UTF-8"}}};
}

class NoAuthentication final : public Authentication {
 public:
  void identify(const Unidentified& asking, Then then) override {
    const auto* token = asking.request.fields.find("X-Auth-Token");
    if (token == nullptr) return then(std::unexpected(offered_token(asking)));
    const auto colon = token->find(':');
    auto user = token->substr(0, colon);
    auto project = colon == std::string::npos ? std::string() : token->substr(colon + 1);
    if (project.empty()) project = user;
    then(Caller{std::move(user), std::move(project), true, {}});
  }
};

}  // namespace

std::unique_ptr<Authentication> noauth() {
  return std::make_unique<NoAuthentication>();
}

}  // namespace volgrow::control::rest
