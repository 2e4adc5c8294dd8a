// SPDX-License-Identifier: Apache-2.0
// HTTP requests and answers as values (RFC 9110), and the few rules that read them. Nothing here
// knows a socket or a library.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace volgrow::http {

struct Field {
  std::string name;
  std::string value;

  bool operator==(const Field&) const = default;
};

/// Field names are the same in any case (RFC 9110 §5.1).
bool same_field_name(std::string_view a, std::string_view b);

/// The header fields of a message, in their order; a name may be there more than once.
class Fields {
 public:
  Fields() = default;
  Fields(std::initializer_list<Field> fields) : fields_(fields) {}

  void add(std::string name, std::string value) {
    fields_.push_back({std::move(name), std::move(value)});
  }
  /// The value of the first field of that name, in any case; nullptr when there is none.
  const std::string* find(std::string_view name) const;
  std::size_t count(std::string_view name) const;

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }

  bool operator==(const Fields&) const = default;

 private:
  std::vector<Field> fields_;
};

using Parameters = std::vector<std::pair<std::string, std::string>>;

/// Whom a client's certificate names; it was verified against the server's client CA.
struct ClientCertificate {
  std::string subject;      ///< the whole name as in RFC 4514: "CN=node7,O=…"
  std::string common_name;  ///< empty when the subject has none

  bool operator==(const ClientCertificate&) const = default;
};

struct Request {
  std::string method{};  ///< as it came; methods are case-sensitive
  /// Still percent-encoded and without the query, so that a route is split at "/" before anything
  /// is decoded: path_segments(path). Begins with "/", or is "*".
  std::string path{};
  Parameters query{};  ///< decoded, in their order; a key without "=" has the value ""
  Fields fields{};
  std::string body{};
  std::string peer{};  ///< the client's address without the port: "192.0.2.1", "2001:db8::1"
  std::optional<ClientCertificate> certificate{};

  /// The first value of that key; nullptr when it is not there.
  const std::string* parameter(std::string_view key) const;

  bool operator==(const Request&) const = default;
};

struct Response {
  int status = 200;  ///< 200 … 599
  Fields fields{};   ///< without Content-Length: that is the server's. An empty value is not sent
  std::string body{};

  bool operator==(const Response&) const = default;
};

/// "%2F" becomes "/". What is no escape ("%", "%zz") stays as it is, as in Python's unquote(),
/// which the servers that we stand in for use.
std::string percent_decoded(std::string_view text);

/// What stands between the slashes of a request's path, decoded: "/v3/a%2Fb/" is {"v3", "a/b", ""}.
/// "/" has one segment, which is empty.
std::vector<std::string> path_segments(std::string_view path);

/// "a=1&b&a=%32" in its order; "+" is a blank (application/x-www-form-urlencoded).
Parameters query_parameters(std::string_view query);

/// What a target of a request line says: its path, without scheme and host where it has them
/// (RFC 9112 §3.2.2), and its query, which is what follows the first "?".
struct Target {
  std::string_view path;
  std::string_view query;
};
Target split_target(std::string_view target);

/// A token of RFC 9110 §5.6.2: what a method or the name of a field is made of.
bool is_token(std::string_view text);
/// Neither a line end nor another control character but the tab: nothing that could begin a field.
bool is_field_value(std::string_view text);

}  // namespace volgrow::http
