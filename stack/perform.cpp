// SPDX-License-Identifier: Apache-2.0
// Does one step by asking the connector that owns its layer. Blocks as long as the kernel does.
#include <fmt/format.h>

#include "stack/resolve.h"
#include "stack/step.h"

namespace volgrow {
namespace {

template <class T>
Result<StepAnswer> as_answer(Result<T> result) {
  if (!result) return std::unexpected(std::move(result.error()));
  return StepAnswer(std::move(*result));
}

Result<StepAnswer> as_done(Result<void> result) {
  if (!result) return std::unexpected(std::move(result.error()));
  return StepAnswer(Done{});
}

/// The same device still answers to the layer's name, and nothing has closed it meanwhile: what
/// must be sure before anything is sent to it.
Result<void> still_open(Host& host, const Connector& connector, const Layer& layer) {
  auto now = connector.standing(host, layer.device);
  if (!now) return std::unexpected(std::move(now.error()));
  if (now->closed) return std::unexpected(*now->closed);
  if (now->identity == layer.identity) return {};
  return failure(ErrorCode::no_such_device,
                 fmt::format("{} is another device now than when the volume was resolved; nothing "
                             "was sent to it. Run the job again",
                             layer.device),
                 layer.device);
}

struct Performer {
  const Step& step;
  const Connectors& connectors;
  Host& host;

  Result<StepAnswer> operator()(const ResolveStep& wanted) {
    return as_answer(resolve(wanted.subject, connectors, host, step.deadline));
  }
  Result<StepAnswer> operator()(const ProbeStep& wanted) {
    return with(wanted.layer, [&](const Connector& connector) {
      return as_answer(ask_target(connector, wanted.layer));
    });
  }
  Result<StepAnswer> operator()(const GrowStep& wanted) {
    return with(wanted.layer, [&](const Connector& connector) -> Result<StepAnswer> {
      if (auto same = still_open(host, connector, wanted.layer); !same)
        return std::unexpected(std::move(same.error()));
      if (auto done = connector.grow(host, wanted.layer, wanted.to, step.deadline); !done)
        return std::unexpected(std::move(done.error()));
      auto measured = connector.measure(host, wanted.layer, false);
      return measured ? StepAnswer(std::move(*measured)) : StepAnswer(Done{});
    });
  }
  Result<StepAnswer> operator()(const EvictStep& wanted) {
    return with(wanted.layer, [&](const Connector& connector) {
      return as_done(connector.evict(host, wanted.layer, wanted.member, step.deadline));
    });
  }
  Result<StepAnswer> operator()(const AdoptStep& wanted) {
    return with(wanted.layer, [&](const Connector& connector) {
      return as_done(connector.adopt(host, wanted.layer, wanted.member, step.deadline));
    });
  }
  Result<StepAnswer> operator()(const MeasureStep& wanted) {
    return with(wanted.layer, [&](const Connector& connector) {
      return as_answer(connector.measure(host, wanted.layer, wanted.consumer));
    });
  }
  Result<StepAnswer> operator()(const VerifyStep& wanted) {
    return with(wanted.layer, [&](const Connector& connector) -> Result<StepAnswer> {
      auto measured = connector.measure(host, wanted.layer, wanted.consumer);
      if (!measured) return std::unexpected(std::move(measured.error()));
      return Verified{std::move(*measured), ask_target(connector, wanted.layer)};
    });
  }

  Result<Truth> ask_target(const Connector& connector, const Layer& layer) {
    if (auto same = still_open(host, connector, layer); !same)
      return std::unexpected(std::move(same.error()));
    return connector.probe(host, layer, step.deadline);
  }

  template <class Use>
  Result<StepAnswer> with(const Layer& layer, Use use) {
    if (const auto* connector = connectors.named(layer.connector)) return use(*connector);
    return failure(ErrorCode::internal, fmt::format("no connector '{}'", layer.connector),
                   layer.device);
  }
};

}  // namespace

StepResult perform(const Step& step, const Connectors& connectors, Host& host) {
  const auto begun = host.clock().now();
  auto answer = std::visit(Performer{step, connectors, host}, step.action);
  return {step.id, std::move(answer), host.clock().now() - begun};
}

}  // namespace volgrow
