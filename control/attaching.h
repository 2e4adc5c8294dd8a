// SPDX-License-Identifier: Apache-2.0
// Volumes become attached and detached, as Cinder has it: the old actions, and attachments. What a
// back end must do is asked of it first and recorded then; of one volume one thing at a time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/attach_rules.h"
#include "control/caller.h"
#include "control/config.h"
#include "control/exports.h"
#include "control/fault.h"
#include "control/store.h"
#include "control/turns.h"
#include "core/clock.h"
#include "service/commits.h"
#include "service/log.h"

namespace volgrow::control {

/// All checks of whether a caller may do it come before, but for that of bug #2004555. Volumes and
/// attachments are given as they were just read. What is answered is durable with the commit of
/// the transaction that is open then.
class Attaching {
 public:
  struct Needs {
    const Clock& clock;
    CommitsOf<Store>& commits;
    Exports& exports;
    const Config& config;
    Log& log;
  };
  /// Called once: within the call or later, on the loop.
  template <class T>
  using Then = std::move_only_function<void(Outcome<T>)>;

  explicit Attaching(Needs needs) : needs_(needs) {}

  // ---- actions that only change the database. Faults: 400 ----

  Outcome<void> reserve(const Volume& volume);
  Outcome<void> unreserve(const Volume& volume);
  Outcome<void> begin_detaching(const Volume& volume);
  Outcome<void> roll_detaching(const Volume& volume);

  struct Attach {
    std::optional<std::string> instance_uuid;
    std::optional<std::string> host_name;
    std::string mountpoint;
    std::string mode = "rw";
  };
  Outcome<void> attach(const Volume& volume, const Attach& wanted);

  struct Reset {
    std::optional<VolumeStatus> status;
    std::optional<AttachStatus> attach_status;
    std::optional<std::string> migration_status;  ///< "none" is none
  };
  /// What an administrator says is so; `detached` forgets the attachments. An extend that waits for
  /// its completion is given up with `extending`; one that the back end works on ends by itself.
  Outcome<void> reset(const Volume& volume, const Reset& wanted);

  // ---- actions that a back end has a part in ----

  /// `attachment_id`: nothing or "" is the only one. Faults: 400, 409, 500.
  void detach(const Caller& caller, const Volume& volume,
              const std::optional<std::string>& attachment_id, Then<void> then);
  /// `then` is given connection_info. Faults: 400, 500.
  void initialize_connection(const Volume& volume, Value connector, Then<Value> then);
  /// A connector that names no host is every host that os-initialize_connection was asked for.
  /// Faults: 409, 500.
  void terminate_connection(const Caller& caller, const Volume& volume, const Value& connector,
                            Then<void> then);

  // ---- attachments ----

  struct NewAttachment {
    std::optional<std::string> instance_uuid;
    Value connector;  ///< null or {}: it is only reserved
    std::string mode = "null";
  };
  /// `then` is given what Cinder shows of it: as it was reserved, with its connection_info. When
  /// the export fails it stays reserved. Faults: 400, 500.
  void create(const Volume& volume, NewAttachment wanted, Then<Attachment> then);
  /// The same, as it was before. Faults: 500.
  void update(const Attachment& attachment, Value connector, Then<Attachment> then);
  Outcome<void> complete(const Attachment& attachment);
  /// `then` is given those that remain. Faults: 404, 409, 500.
  void remove(const Caller& caller, const Attachment& attachment,
              Then<std::vector<Attachment>> then);

 private:
  using Turn = Turns::Turn;
  /// All that is known of a volume's attachments, and where changes go.
  struct Scene {
    Store* store;
    Volume volume;
    std::vector<Attachment> attachments;
    std::vector<Export> exports;

    const Attachment* find(const std::string& id) const;
    std::vector<Attachment> without(const std::string& id) const;
  };
  /// An attachment on its way to a host.
  struct Connecting {
    Attachment shown;  ///< what is answered, but for its connection_info
    Value connector;
    std::string mode;  ///< that it will have
  };

  template <class T>
  Outcome<T> checked(Result<T> result);
  Outcome<void> checked(const Result<void>& result);
  Outcome<Scene> look_at(const std::string& volume_id);
  /// An extend that is open keeps the volume `extending`: its end looks at the attachments.
  Outcome<void> change(const Scene& scene, Volume after);
  Outcome<void> change_status(const Volume& volume, VolumeStatus status);
  Outcome<void> give_up_waiting(const Scene& scene, Volume& after);
  Attachment attachment_for(const Volume& volume, const Attach& wanted) const;
  std::optional<backend::DriverKind> driver_of(const Volume& volume) const;
  Outcome<Value> completed_for(const Scene& scene, Value connection_info);

  Outcome<Value> initialized(const std::string& volume_id, Result<Value> connection_info);
  void terminate(const Volume& volume, const std::optional<Export>& only, Turn turn,
                 Then<void> then);
  Outcome<void> terminated(const Volume& volume, const Result<void>& done);

  Outcome<Attachment> reserve_for(const Volume& volume, const NewAttachment& wanted);
  Outcome<Connecting> connecting_again(const Attachment& attachment, Value connector);
  void connect(Connecting wanted, Turn turn, Then<Attachment> then);
  Outcome<Attachment> connected(Connecting wanted, const Export& one, Result<Value> info);
  Outcome<void> store_connected(const Scene& scene, Attachment attachment,
                                const Connecting& wanted);

  Outcome<std::optional<Attachment>> chosen(const Caller& caller, const Scene& scene,
                                            const std::optional<std::string>& id);
  void end(const std::string& volume_id, const std::string& id, Turn turn,
           Then<std::vector<Attachment>> then);
  Outcome<std::vector<Attachment>> ended(const std::string& volume_id, const std::string& id);

  Needs needs_;
  Turns turns_;
};

}  // namespace volgrow::control
