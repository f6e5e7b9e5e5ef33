// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace vrelo::sse::client {

// Where everything here runs: one loop on one thread.
using Executor = boost::asio::io_context::executor_type;

// A coroutine on that loop. It starts when it is awaited or given to co_spawn().
template <typename T>
using Task = boost::asio::awaitable<T, Executor>;

// What Asio's operations are awaited with: errors come back as values.
inline constexpr auto kAwait = boost::asio::as_tuple(boost::asio::use_awaitable_t<Executor>());

}  // namespace vrelo::sse::client
