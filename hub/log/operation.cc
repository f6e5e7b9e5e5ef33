// SPDX-License-Identifier: Apache-2.0
#include "hub/log/operation.h"

#include <algorithm>

#include <boost/asio/post.hpp>

namespace vrelo::log {

void complete_all(std::vector<OperationPtr> operations) {
  // A handful of shards: to sort costs less than a map.
  std::stable_sort(operations.begin(), operations.end(),
                   [](const auto& a, const auto& b) { return &a->caller() < &b->caller(); });
  for (auto first = operations.begin(); first != operations.end();) {
    Caller& caller = (*first)->caller();
    const auto last = std::find_if(first, operations.end(),
                                   [&caller](const auto& op) { return &op->caller() != &caller; });
    std::vector<OperationPtr> own{std::move_iterator(first), std::move_iterator(last)};
    const base::Executor executor = caller.executor;
    boost::asio::post(executor, [own = std::move(own)] {
      for (const OperationPtr& operation : own) {
        operation->complete();
      }
    });
    first = last;
  }
}

}  // namespace vrelo::log
