// SPDX-License-Identifier: Apache-2.0
// Which hosts see a volume. What may be exported is in the database before the back end is asked,
// and until it has answered that it no longer is; so whatever interrupts, a repeat or whoever
// detaches last clears it away.
#pragma once

#include <functional>
#include <vector>

#include "backend/client.h"
#include "control/config.h"
#include "control/store.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/value.h"
#include "service/commits.h"
#include "service/log.h"

namespace volgrow::control {

class Exports {
 public:
  struct Needs {
    const Clock& clock;
    CommitsOf<Store>& commits;
    backend::Client& backends;
    const Config& config;
    Log& log;
  };
  template <class T>
  using Then = std::move_only_function<void(Result<T>)>;

  explicit Exports(Needs needs) : needs_(needs) {}

  /// `then` is given connection_info as the back end has it. After an error the export may be
  /// there, and stays recorded. Errors: the back end's for Export; Internal, from the database.
  void begin(const Volume& volume, const Export& wanted, Then<Value> then);

  /// The back end is asked where no other export is recorded for the same host. When `then` runs,
  /// what ended is forgotten by the transaction that is open; after an error some may be recorded
  /// still. Errors: the back end's for Unexport; Internal, from the database.
  void end(const Volume& volume, std::vector<Export> ended, Then<void> then);
  /// All that are recorded, as before the volume itself goes.
  void end_all(const Volume& volume, Then<void> then);

 private:
  template <class C>
  void ask(C call, Then<typename C::Answer> then);
  Result<bool> is_shared(const Export& one);
  void unexported(const Volume& volume, const Export& one,
                  const Result<backend::Unexported>& answer, std::vector<Export> others,
                  Then<void> then);
  void forget(const Volume& volume, const Export& one, std::vector<Export> others, Then<void> then);

  Needs needs_;
};

}  // namespace volgrow::control
