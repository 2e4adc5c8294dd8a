// SPDX-License-Identifier: Apache-2.0
// Steps and their results as bytes, for the sockets between the daemon and its workers.
#include "stack/step.h"

#include "core/wire.h"

namespace volgrow {

template <class A, wire::SameAs<Deadline> V>
void fields(A& a, V& v) {
  a(v.at);
}
template <class A, wire::SameAs<Value> V>
void fields(A& a, V& v) {
  a(v.data);
}
template <class A, wire::SameAs<ConnectionInfo> V>
void fields(A& a, V& v) {
  a(v.driver_volume_type, v.data, v.serial);
}
template <class A, wire::SameAs<Target> V>
void fields(A& a, V& v) {
  a(v.kind, v.text);
}
template <class A, wire::SameAs<Stack> V>
void fields(A& a, V& v) {
  a(v.layers, v.riders);
}
template <class A, wire::SameAs<ResolveStep> V>
void fields(A& a, V& v) {
  a(v.subject);
}
template <class A, wire::SameAs<ProbeStep> V>
void fields(A& a, V& v) {
  a(v.layer);
}
template <class A, wire::SameAs<GrowStep> V>
void fields(A& a, V& v) {
  a(v.layer, v.to);
}
template <class A, wire::SameAs<MeasureStep> V>
void fields(A& a, V& v) {
  a(v.layer, v.consumer);
}
template <class A, wire::SameAs<VerifyStep> V>
void fields(A& a, V& v) {
  a(v.layer, v.consumer);
}
template <class A, wire::SameAs<EvictStep> V>
void fields(A& a, V& v) {
  a(v.layer, v.member);
}
template <class A, wire::SameAs<AdoptStep> V>
void fields(A& a, V& v) {
  a(v.layer, v.member);
}
template <class A, wire::SameAs<Step> V>
void fields(A& a, V& v) {
  a(v.id, v.action, v.deadline, v.limit);
}
template <class A, wire::SameAs<Done> V>
void fields(A&, V&) {}
template <class A, wire::SameAs<Verified> V>
void fields(A& a, V& v) {
  a(v.measured, v.truth);
}
template <class A, wire::SameAs<StepResult> V>
void fields(A& a, V& v) {
  a(v.id, v.answer, v.took);
}

bool only_looks(const StepAction& action) {
  return std::holds_alternative<ResolveStep>(action) || std::holds_alternative<ProbeStep>(action) ||
         std::holds_alternative<MeasureStep>(action) || std::holds_alternative<VerifyStep>(action);
}

std::string encode(const Step& step) {
  return wire::encode(step);
}

std::optional<Step> decode_step(std::string_view bytes) {
  return wire::decode<Step>(bytes);
}

std::string encode(const StepResult& result) {
  return wire::encode(result);
}

std::optional<StepResult> decode_step_result(std::string_view bytes) {
  return wire::decode<StepResult>(bytes);
}

}  // namespace volgrow
