// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "hub/log/log.h"
#include "hub/log/operation.h"
#include "sim/store.h"

namespace vrelo::sim {

// An append that waits for its commit, or for its completion.
class Store::Append final : public log::OperationOf<log::Appended> {
 public:
  Append(std::shared_ptr<log::Caller> caller, log::Event given)
      : OperationOf(std::move(caller)), event(std::move(given)) {}

  log::Event event;
};

// What the store's reading threads do.
class Store::Job {
 public:
  virtual ~Job() = default;
  virtual bool ready(const Store&) const { return true; }
  virtual void run(Store& store) = 0;
  virtual log::OperationPtr take() = 0;
  virtual log::Caller& caller() = 0;
};

}  // namespace vrelo::sim
