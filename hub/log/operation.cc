// SPDX-License-Identifier: Apache-2.0
#include "hub/log/operation.h"

#include <algorithm>

#include <boost/asio/post.hpp>

namespace vrelo::log {

void Caller::wait_for_posts() const {
  for (int within = posts; within != 0; within = posts) {
    posts.wait(within);
  }
}

void complete_all(std::vector<OperationPtr> operations) {
  // A handful of shards: to sort costs less than a map.
  std::stable_sort(operations.begin(), operations.end(),
                   [](const auto& a, const auto& b) { return &a->caller() < &b->caller(); });
  for (auto first = operations.begin(); first != operations.end();) {
    const std::shared_ptr<Caller> caller = (*first)->shared_caller();
    const auto last = std::find_if(first, operations.end(), [&caller](const auto& op) {
      return &op->caller() != caller.get();
    });
    std::vector<OperationPtr> own{std::move_iterator(first), std::move_iterator(last)};
    ++caller->posts;
    boost::asio::post(caller->executor, [own = std::move(own)] {
      for (const OperationPtr& operation : own) {
        operation->complete();
      }
    });
    --caller->posts;
    caller->posts.notify_all();
    first = last;
  }
}

}  // namespace vrelo::log
