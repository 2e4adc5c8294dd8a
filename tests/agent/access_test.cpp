// SPDX-License-Identifier: Apache-2.0
// Who may do what: the whole table of contracts §1, caller by caller and verb by verb.
#include "agent/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <set>

namespace volgrow::agent {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint32_t volgrow_group = 990;
constexpr std::uint32_t relay_uid = 991;

const bus::Caller root{":1.1", 0, {0}};
const bus::Caller operator_in_group{":1.2", 1000, {1000, volgrow_group}};
const bus::Caller relay{":1.3", relay_uid, {relay_uid}};
const bus::Caller relay_in_group{":1.4", relay_uid, {relay_uid, volgrow_group}};
const bus::Caller stranger{":1.5", 1001, {1001, 27}};

constexpr std::array verbs{
    Verb::volume_changed,
    Verb::extend,
    Verb::plan,
    Verb::explain,
    Verb::rescan,
    Verb::register_volume,
    Verb::unregister_volume,
    Verb::wait,
    Verb::cancel,
    Verb::outbox,
};

std::set<Verb> all_but(std::set<Verb> without) {
  std::set<Verb> rest;
  for (const auto verb : verbs)
    if (!without.contains(verb)) rest.insert(verb);
  return rest;
}

std::set<Verb> allowed_to(const bus::Caller& caller, const AccessRules& rules,
                          const RequestOptions& options = {}) {
  std::set<Verb> allowed;
  for (const auto verb : verbs) {
    const auto answer = rules.allow(caller, verb, options);
    if (answer) {
      allowed.insert(verb);
    } else {
      EXPECT_EQ(answer.error().code, ErrorCode::not_authorized);
    }
  }
  return allowed;
}

class TheAccessRules : public testing::Test {
 protected:
  AccessRules rules{volgrow_group, relay_uid};
};

TEST_F(TheAccessRules, LetRootDoEverythingButTheOutbox) {
  EXPECT_EQ(allowed_to(root, rules), all_but({Verb::outbox}));
}

TEST_F(TheAccessRules, LetMembersOfTheGroupDoEverythingButTheOutbox) {
  EXPECT_EQ(allowed_to(operator_in_group, rules), all_but({Verb::outbox}));
}

TEST_F(TheAccessRules, LetTheRelayAnnounceWaitAndFetchReports) {
  EXPECT_EQ(allowed_to(relay, rules), (std::set{Verb::volume_changed, Verb::wait, Verb::outbox}));
}

TEST_F(TheAccessRules, GiveARelayInTheGroupBothRights) {
  EXPECT_EQ(allowed_to(relay_in_group, rules), all_but({}));
}

TEST_F(TheAccessRules, GiveEverybodyElseNothing) {
  EXPECT_THAT(allowed_to(stranger, rules), IsEmpty());
}

TEST_F(TheAccessRules, LetTheRelayNeitherChooseAnIdentityNorOpenAKey) {
  RequestOptions with_wwid;
  with_wwid.wwid = Wwid{WwidType::naa, "6001"};
  RequestOptions with_passphrase;
  with_passphrase.has_passphrase = true;

  const auto wwid = rules.allow(relay, Verb::volume_changed, with_wwid);
  const auto passphrase = rules.allow(relay, Verb::volume_changed, with_passphrase);

  ASSERT_FALSE(wwid);
  EXPECT_THAT(wwid.error().message, HasSubstr("may not give wwid to VolumeChanged"));
  ASSERT_FALSE(passphrase);
  EXPECT_THAT(passphrase.error().message, HasSubstr("may not give passphrase to VolumeChanged"));
  EXPECT_TRUE(rules.allow(operator_in_group, Verb::volume_changed, with_wwid));
  EXPECT_TRUE(rules.allow(root, Verb::volume_changed, with_passphrase));
}

TEST_F(TheAccessRules, SayWhoMay) {
  const auto extend = rules.allow(stranger, Verb::extend, {});
  const auto outbox = rules.allow(root, Verb::outbox, {});

  ASSERT_FALSE(extend);
  EXPECT_EQ(extend.error().message,
            "user 1001 may not call Extend: root and members of the configured group may");
  ASSERT_FALSE(outbox);
  EXPECT_EQ(outbox.error().message, "user 0 may not call the Outbox: only the relay's user may");
}

TEST_F(TheAccessRules, GrantNothingToAGroupOrUserThatDoesNotExist) {
  const auto nobody = AccessRules::lookup("no-such-group-here", "no-such-user-here");

  EXPECT_EQ(allowed_to(root, nobody), all_but({Verb::outbox}));
  EXPECT_THAT(allowed_to(operator_in_group, nobody), IsEmpty());
  EXPECT_THAT(allowed_to(relay, nobody), IsEmpty());
  EXPECT_THAT(allowed_to({":1.9", ~std::uint32_t{0}, {~std::uint32_t{0}}}, nobody), IsEmpty());
}

TEST_F(TheAccessRules, LookNamesAndNumbersUp) {
  const auto by_name = AccessRules::lookup("root", "root");
  const auto by_number = AccessRules::lookup("990", "991");
  const bus::Caller in_group_root{":1.6", 1002, {0}};

  EXPECT_EQ(allowed_to(in_group_root, by_name), all_but({Verb::outbox}));
  EXPECT_EQ(allowed_to(root, by_name), all_but({}));
  EXPECT_EQ(allowed_to(operator_in_group, by_number), all_but({Verb::outbox}));
  EXPECT_EQ(allowed_to(relay, by_number),
            (std::set{Verb::volume_changed, Verb::wait, Verb::outbox}));
}

TEST_F(TheAccessRules, TakeOnlyWholeNumbersThatCanBeIds) {
  const bus::Caller odd{":1.7", 99, {99, ~std::uint32_t{0}}};

  for (const auto* text : {"", "-1", "99x", "0x63", " 99", "4294967295", "4294967296"})
    EXPECT_THAT(allowed_to(odd, AccessRules::lookup(text, text)), IsEmpty()) << text;
}

}  // namespace
}  // namespace volgrow::agent
