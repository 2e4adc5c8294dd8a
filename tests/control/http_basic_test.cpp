// SPDX-License-Identifier: Apache-2.0
// Passwords, checked where bcrypt may take its time.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "control/rest/auth.h"
#include "core/event_loop.h"

namespace volgrow::control::rest {
namespace {

using testing::HasSubstr;

class PasswordsOverHttp : public testing::Test {
 protected:
  PasswordsOverHttp() {
    std::filesystem::create_directories(folder_);
    // bcrypt of "secret" and "demo" at its lowest cost
    write(
        "admin:$2b$04$XNAzasc/QCAIr3Z8nWdNwubNAfGcJXN6RvpMH3m6HJCMUudvVBFnm\n"
        "demo:$2b$04$n0DJLi8.jmeDFe5LxRlt/uOCfKQEwH5Cif6GSq.tZc9YM0NRnWAeO\n");
  }
  ~PasswordsOverHttp() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path file() const { return folder_ / "htpasswd"; }
  void write(const std::string& lines) const { std::ofstream(file()) << lines; }

  /// The status of a request that carries this field, 200 when somebody is known by it.
  int status_of(const std::optional<std::string>& authorization) {
    if (!authentication_) authentication_ = http_basic(*loop_, file()).value();
    http::Request request{.method = "GET", .path = "/v3/p/volumes"};
    if (authorization) request.fields.add("Authorization", *authorization);
    std::optional<int> status;
    authentication_->identify({.request = request, .url = request.path, .project = "p"},
                              [&](Authentication::Verdict verdict) {
                                status = verdict ? 200 : verdict.error().status;
                                if (verdict) user_ = verdict->user_id;
                                loop_->exit(0);
                              });
    EXPECT_TRUE(status || loop_->run());
    return *status;
  }

  std::string user_;
  std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("passwords-" + std::to_string(::getpid()));
  std::unique_ptr<EventLoop> loop_ = EventLoop::create().value();
  std::unique_ptr<Authentication> authentication_;
};

TEST_F(PasswordsOverHttp, MakeSomebodyKnownOnceAndAgain) {
  EXPECT_EQ(status_of("Basic YWRtaW46c2VjcmV0"), 200);  // admin:secret
  EXPECT_EQ(user_, "admin");
  EXPECT_EQ(status_of("basic  YWRtaW46c2VjcmV0 "), 200);
}

TEST_F(PasswordsOverHttp, AreWrongForSomebodyElse) {
  EXPECT_EQ(status_of("Basic ZGVtbzpzZWNyZXQ="), 401);      // demo:secret
  EXPECT_EQ(status_of("Basic bm9ib2R5OnNlY3JldA=="), 401);  // nobody:secret
  EXPECT_EQ(status_of("Basic YWRtaW46"), 401);              // admin:
}

TEST_F(PasswordsOverHttp, DoNotEndAtANul) {
  EXPECT_EQ(status_of("Basic YWRtaW46c2VjcmV0AGp1bms="), 401);  // admin:secret, a NUL, junk
}

TEST_F(PasswordsOverHttp, AreNeededInAFormThatCanBeRead) {
  EXPECT_EQ(status_of(std::nullopt), 401);
  for (const auto* field : {"", "Basic", "Basic !", "Basic YWRtaW4=", "Bearer YWRtaW46c2VjcmV0"})
    EXPECT_EQ(status_of(field), 401) << field;
}

TEST_F(PasswordsOverHttp, AreReadAgainWhenTheFileIsAnother) {
  EXPECT_EQ(status_of("Basic YWRtaW46c2VjcmV0"), 200);
  write("demo:$2b$04$n0DJLi8.jmeDFe5LxRlt/uOCfKQEwH5Cif6GSq.tZc9YM0NRnWAeO\n");
  std::filesystem::last_write_time(
      file(), std::filesystem::last_write_time(file()) + std::chrono::seconds(2));

  EXPECT_EQ(status_of("Basic YWRtaW46c2VjcmV0"), 401);
  EXPECT_EQ(status_of("Basic ZGVtbzpkZW1v"), 200);  // demo:demo
}

TEST_F(PasswordsOverHttp, AreNotServedFromAFileThatCannotBeRead) {
  const auto refused = http_basic(*loop_, folder_);

  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("cannot be read"));
}

TEST_F(PasswordsOverHttp, AreOfNoOtherKindThanBcrypt) {
  write("admin:$apr1$abc$def\n");

  const auto refused = http_basic(*loop_, file());

  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("htpasswd -B"));
}

}  // namespace
}  // namespace volgrow::control::rest
