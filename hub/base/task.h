// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace vrelo::base {

// Where all of a shard's work runs: its one thread. Naming the type, instead of Asio's type-erased
// any_io_executor, saves a virtual call and a reference count at each step of a coroutine.
using Executor = boost::asio::io_context::executor_type;

// A coroutine on a shard. It starts when it is awaited or given to co_spawn().
template <typename T>
using Task = boost::asio::awaitable<T, Executor>;

}  // namespace vrelo::base
