// SPDX-License-Identifier: Apache-2.0
// Attaching beside the extend flow, over the same database and back ends.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/attaching.h"
#include "tests/control/flow.h"

namespace volgrow::control {

inline const std::string some_instance = "e01d2fe8-c9e2-4532-b0a0-23a264869874";
inline const std::string other_instance = "ff62260a-76cb-416c-819b-77ffc299cbc7";

inline Value a_connector(const std::string& host) {
  return Value::Object{{"initiator", "iqn.1993-08.org.debian:01:" + host},
                       {"ip", "192.0.2.10"},
                       {"host", host},
                       {"mountpoint", "/dev/vdb"}};
}

/// What the fake back end says of v1, as an attachment has it.
inline Value flat_connection(const std::string& host, const std::string& attachment_id,
                             const std::string& mode = "rw") {
  return Value::Object{{"device_path", "/dev/v1-of-" + host},
                       {"volume_id", "v1"},
                       {"discard", false},
                       {"qos_specs", nullptr},
                       {"access_mode", mode},
                       {"encrypted", false},
                       {"cacheable", false},
                       {"driver_volume_type", "local"},
                       {"attachment_id", attachment_id}};
}

class AttachFlow : public Flow {
 protected:
  AttachFlow() { begin_attaching(); }

  void begin_attaching() {
    exports.emplace(Exports::Needs{loop.clock(), *commits, back_ends, config, *log});
    attaching.emplace(Attaching::Needs{loop.clock(), *commits, *exports, config, *log});
  }
  /// As after kill -9 and a start.
  void restart_attaching() {
    attaching.reset();
    exports.reset();
    back_ends.lose_the_callers();
    restart();
    begin_attaching();
  }

  /// What an operation answers, once nothing is under way any more.
  template <class T, class Start>
  Outcome<T> answer_of(Start start) {
    std::optional<Outcome<T>> answer;
    start([&](Outcome<T> came) { answer = std::move(came); });
    settle();
    return answer.value();
  }
  Outcome<Attachment> create(Attaching::NewAttachment wanted) {
    return answer_of<Attachment>(
        [&](auto then) { attaching->create(volume(), std::move(wanted), std::move(then)); });
  }
  Outcome<Attachment> update(const std::string& id, const Value& connector) {
    return answer_of<Attachment>(
        [&](auto then) { attaching->update(attachment(id), connector, std::move(then)); });
  }
  Outcome<std::vector<Attachment>> remove(const std::string& id) {
    return answer_of<std::vector<Attachment>>(
        [&](auto then) { attaching->remove(admin, attachment(id), std::move(then)); });
  }
  Outcome<void> detach(const std::optional<std::string>& id = std::nullopt) {
    return answer_of<void>(
        [&](auto then) { attaching->detach(admin, volume(), id, std::move(then)); });
  }
  Outcome<Value> initialize(const Value& connector) {
    return answer_of<Value>(
        [&](auto then) { attaching->initialize_connection(volume(), connector, std::move(then)); });
  }
  Outcome<void> terminate(const Value& connector) {
    return answer_of<void>([&](auto then) {
      attaching->terminate_connection(admin, volume(), connector, std::move(then));
    });
  }
  /// A volume of this status and none of its attachments.
  void given_a_volume_that_is(VolumeStatus status, bool multiattach = false) {
    given_a_volume({});
    auto made = volume();
    made.status = status;
    made.multiattach = multiattach;
    ASSERT_TRUE(store().change_volume(made));
  }
  /// For this instance on this host, connected and complete.
  std::string attached(const std::string& instance, const std::string& host) {
    const auto made = create({instance, a_connector(host)});
    EXPECT_TRUE(made) << made.error().message;
    EXPECT_TRUE(attaching->complete(attachment(made->id)));
    settle();
    return made->id;
  }

  std::vector<Attachment> attachments() { return store().attachments_of("v1").value(); }
  std::vector<Export> recorded() { return store().exports_of("v1").value(); }
  const std::set<std::string>& exported_to() { return back_ends.volumes.at("v1").hosts; }
  Standing standing() { return {volume().status, volume().attach_status}; }

  const Caller admin{"alice", some_project, true, "req-7"};
  const Caller member{"bob", some_project, false, "req-8"};
  std::optional<Exports> exports;
  std::optional<Attaching> attaching;
};

}  // namespace volgrow::control
