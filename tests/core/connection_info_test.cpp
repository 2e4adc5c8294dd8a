// SPDX-License-Identifier: Apache-2.0
// connection_info as Cinder makes it, as Nova stores it, and as an attacker would write it.
#include "core/connection_info.h"

#include <gmock/gmock.h>

#include "core/json.h"

namespace volgrow {
namespace {

using namespace std::string_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::TestWithParam;
using ::testing::Values;

constexpr std::string_view stored_by_nova = R"({
  "driver_volume_type": "iscsi", "serial": "5ea5b1f8-6a05-4b5c-8c6f-0123456789ab",
  "status": "attaching", "instance": "0c1d2e3f", "attached_at": "", "detached_at": "",
  "multiattach": false, "connector": {"host": "compute-1", "initiator": "iqn.1993-08.org.debian:01"},
  "data": {
    "target_portals": ["10.0.0.1:3260", "10.0.0.2:3260"], "target_iqns": ["iqn.a", "iqn.b"],
    "target_luns": [1, 257], "target_lun": "1", "volume_id": "5ea5b1f8-6a05-4b5c-8c6f-0123456789ab",
    "auth_method": "CHAP", "auth_username": "cinder", "auth_password": "hunter2",
    "discovery_auth_password": "hunter2", "encrypted": true, "qos_specs": null,
    "access_mode": "rw", "device_path": "/dev/sda"}})";

std::string local(std::string_view data) {
  return R"({"driver_volume_type": "local", "data": )" + std::string(data) + "}";
}

TEST(NovasConnectionInfo, KeepsItsConnection) {
  const auto connection = parse_connection_info(stored_by_nova).value();

  EXPECT_EQ(connection.driver_volume_type, "iscsi");
  EXPECT_EQ(connection.serial, "5ea5b1f8-6a05-4b5c-8c6f-0123456789ab");
  EXPECT_EQ(connection.volume_id(), "5ea5b1f8-6a05-4b5c-8c6f-0123456789ab");
  EXPECT_EQ(connection.text("device_path"), "/dev/sda");
  EXPECT_EQ(
      to_json(Value(connection.data)),
      R"({"target_portals":["10.0.0.1:3260","10.0.0.2:3260"],"target_iqns":["iqn.a","iqn.b"],)"
      R"("target_luns":[1,257],"target_lun":"1",)"
      R"("volume_id":"5ea5b1f8-6a05-4b5c-8c6f-0123456789ab","encrypted":true,)"
      R"("qos_specs":null,"access_mode":"rw","device_path":"/dev/sda"})");
}

TEST(NovasConnectionInfo, IsWrittenWithoutSecretsAndReadBack) {
  const auto connection = parse_connection_info(stored_by_nova).value();

  const auto text = to_json(connection);

  EXPECT_THAT(text, AllOf(Not(HasSubstr("hunter2")), Not(HasSubstr("auth_"))));
  EXPECT_EQ(parse_connection_info(text), connection);
}

class ASecret : public TestWithParam<std::string> {};

TEST_P(ASecret, IsDroppedWhereverItStands) {
  const auto member = '"' + GetParam() + R"(": "hunter2")";
  const auto connection = parse_connection_info(
      local("{" + member + R"(, "list": [{"deep": {)" + member + R"(}}], "kept": 1})"));

  ASSERT_TRUE(connection);
  EXPECT_EQ(to_json(Value(connection->data)), R"({"list":[{"deep":{}}],"kept":1})");
}

INSTANTIATE_TEST_SUITE_P(Keys, ASecret,
                         Values("auth_method", "auth_username", "auth_password", "AUTH_PASSWORD",
                                "discovery_auth_method", "discovery_auth_password", "password",
                                "serverPassword", "node_passwd", "passphrase", "luksPassphrase",
                                "secret", "secret_uuid", "client_secret", "dhchap_key",
                                "dhchap_secret", "mutual_chap_user", "token", "serverToken",
                                "encryption_key_id", "key", "apiKey", "dek_key", "private_key",
                                "keyring", "credentials"));

TEST(ASecretKey, WithPartsGoesWhole) {
  const auto connection = parse_connection_info(local(R"({"credentials": {"user": "x"}})"));

  EXPECT_EQ(connection.value().data, Value::Object());
}

TEST(ASecretKey, OutsideDataIsNotKeptEither) {
  const auto connection = parse_connection_info(
      R"({"driver_volume_type": "rbd", "data": {}, "auth_token": "hunter2"})");

  EXPECT_THAT(to_json(connection.value()), Not(HasSubstr("hunter2")));
}

TEST(AKey, ThatOnlyResemblesASecretIsKept) {
  const auto text = R"({"author":"a","target_lun":1,"keys":"b","key_size":256,"volume_id":"v"})";

  EXPECT_EQ(to_json(Value(parse_connection_info(local(text)).value().data)), text);
}

struct Malformed {
  std::string text;
  std::string message;
};

class AMalformedConnectionInfo : public TestWithParam<Malformed> {};

TEST_P(AMalformedConnectionInfo, IsRefusedWithTheKeyAndWhatBelongsThere) {
  const auto connection = parse_connection_info(GetParam().text);

  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().code, ErrorCode::bad_connection_info);
  EXPECT_THAT(connection.error().message,
              AllOf(HasSubstr("connection_info: "), HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(Documents, AMalformedConnectionInfo,
                         Values(Malformed{"", "not JSON"}, Malformed{"{", "not JSON"},
                                Malformed{"[]", "the document is a list, expected an object"},
                                Malformed{"\"{}\"", "the document is text, expected an object"},
                                Malformed{"null", "the document is null, expected an object"}));

INSTANTIATE_TEST_SUITE_P(
    Types, AMalformedConnectionInfo,
    Values(Malformed{"{}", "driver_volume_type is missing"},
           Malformed{R"({"data": {}})", "driver_volume_type is missing"},
           Malformed{R"({"driver_volume_type": null, "data": {}})", "driver_volume_type is null"},
           Malformed{R"({"driver_volume_type": 7, "data": {}})",
                     "driver_volume_type is a number, expected text"},
           Malformed{R"({"driver_volume_type": true, "data": {}})", "is a boolean"},
           Malformed{R"({"driver_volume_type": ["iscsi"], "data": {}})", "is a list"},
           Malformed{R"({"driver_volume_type": {}, "data": {}})", "is an object"},
           Malformed{R"({"driver_volume_type": "", "data": {}})", "expected a name"},
           Malformed{R"({"driver_volume_type": "a\u0000", "data": {}})", "expected a name"},
           Malformed{R"({"driver_volume_type": "a\nb", "data": {}})", "\"a\\x0ab\""}));

INSTANTIATE_TEST_SUITE_P(
    Data, AMalformedConnectionInfo,
    Values(Malformed{R"({"driver_volume_type": "iscsi"})", "data is missing"},
           Malformed{local("null"), "data is null, expected an object"},
           Malformed{local("[]"), "data is a list, expected an object"},
           Malformed{local("\"{}\""), "data is text, expected an object"},
           Malformed{local("1.5"), "data is a number, expected an object"},
           Malformed{local(R"({"lun": 1, "lun": 2})"), "the key \"lun\" is there twice"},
           Malformed{local(R"({"device_path": "/dev/sda\u0000/../etc"})"),
                     "data.device_path holds a NUL"},
           Malformed{local(R"({"a": [{"b\n": ["x\u0000"]}]})"), "data.a.b\\x0a holds a NUL"}));

INSTANTIATE_TEST_SUITE_P(
    Serial, AMalformedConnectionInfo,
    Values(Malformed{R"({"driver_volume_type": "x", "data": {}, "serial": 1})",
                     "serial is a number, expected text"},
           Malformed{R"({"driver_volume_type": "x", "data": {}, "serial": ["v"]})",
                     "serial is a list, expected text"},
           Malformed{R"({"driver_volume_type": "x", "data": {}, "serial": "v\n"})",
                     "serial holds a control character"}));

TEST(AConnectionInfo, ThatIsADepthBombIsRefused) {
  std::string bomb;
  for (int i = 0; i < 40'000; ++i)
    bomb += R"({"a":)";

  const auto connection = parse_connection_info(local(bomb));

  EXPECT_THAT(connection.error().message, HasSubstr("deeper than the 16 levels"));
}

TEST(AConnectionInfo, WithAHugeStringIsRefused) {
  const auto connection =
      parse_connection_info(local(R"({"volume_id": ")" + std::string(10'000'000, 'x') + "\"}"));

  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().code, ErrorCode::bad_connection_info);
  EXPECT_LT(connection.error().message.size(), 200U);
}

TEST(AConnectionInfo, ThatWouldBeTooLargeToReadBackIsRefused) {
  std::string numbers = "[1e5";
  for (int i = 0; i < 60'000; ++i)
    numbers += ",1e5";

  const auto connection = parse_connection_info(local(R"({"a": )" + numbers + "]}"));

  EXPECT_THAT(connection.error().message, HasSubstr("takes more than 262144 bytes"));
}

TEST(AConnectionInfo, DoesNotCiteASecretItCannotRead) {
  const auto connection = parse_connection_info(local(R"({"auth_password": "hunter2"")"));

  EXPECT_THAT(connection.error().message, Not(HasSubstr("hunter2")));
}

TEST(AConnectionInfo, WithoutSerialHasTheVolumeIdOfItsData) {
  EXPECT_EQ(parse_connection_info(local(R"({"volume_id": "v-1"})")).value().volume_id(), "v-1");
}

TEST(AConnectionInfo, WithANullSerialHasNone) {
  const auto connection =
      parse_connection_info(R"({"driver_volume_type": "x", "data": {}, "serial": null})").value();

  EXPECT_EQ(connection.serial, std::nullopt);
  EXPECT_EQ(connection.volume_id(), std::nullopt);
}

TEST(AConnectionInfo, PassesOverIdsThatAreNotWellFormed) {
  const ConnectionInfo connection{"x", {{"volume_id", "v-1"}}, "../../etc/shadow"};
  const ConnectionInfo hopeless{"x", {{"volume_id", 7}}, "a b"};

  EXPECT_EQ(connection.volume_id(), "v-1");
  EXPECT_EQ(hopeless.volume_id(), std::nullopt);
}

TEST(ARequiredText, IsFoundOrNamed) {
  const auto connection =
      parse_connection_info(local(R"({"device_path": "/dev/sda", "lun": 1})")).value();

  EXPECT_EQ(connection.require_text("device_path"), "/dev/sda");
  EXPECT_EQ(connection.require_text("lun").error().message,
            "connection_info: data.lun is a number, expected text");
  EXPECT_EQ(connection.require_text("target_iqn").error().message,
            "connection_info: data.target_iqn is missing; expected text");
  EXPECT_EQ(connection.require_text("lun").error().code, ErrorCode::bad_connection_info);
}

}  // namespace
}  // namespace volgrow
