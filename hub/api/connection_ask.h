// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "hub/api/connection.h"
#include "hub/api/front.h"

namespace vrelo::api {

template <typename T, typename Start>
base::Task<std::optional<T>> Connection::ask(Start start, Timer::time_point until) {
  if (!socket_.is_open()) {
    co_return std::nullopt;  // abort() has been here, and nobody would cancel the question
  }
  const base::Executor executor = front_.parts_.executor;
  auto question = std::make_shared<Question<T>>(Question<T>{.done = Timer(executor, until)});
  asking_ = &question->done;
  start([waiting = std::weak_ptr<Question<T>>(question), executor](T answer) {
    boost::asio::post(executor, [waiting, answer = std::move(answer)]() mutable {
      if (const auto asked = waiting.lock()) {
        asked->answer = std::move(answer);
        asked->done.cancel();
      }
    });
  });
  boost::system::error_code cancelled;
  co_await question->done.async_wait(
      boost::asio::redirect_error(boost::asio::use_awaitable_t<base::Executor>(), cancelled));
  asking_ = nullptr;
  co_return std::move(question->answer);
}

}  // namespace vrelo::api
