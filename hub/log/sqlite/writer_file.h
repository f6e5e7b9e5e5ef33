// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "hub/base/clock.h"
#include "hub/base/sqlite/connection.h"
#include "hub/log/sqlite/database.h"
#include "hub/log/sqlite/index_keeper.h"
#include "hub/log/sqlite/index_list.h"
#include "hub/log/sqlite/remover.h"
#include "hub/log/sqlite/writer.h"

namespace vrelo::log::sqlite {

// The open file: the connection and what works on it.
struct Writer::File {
  base::sqlite::Connection connection;
  base::sqlite::Statement insert;
  base::sqlite::Statement select_event;
  BlockSource blocks;
  Remover remover;
  IndexKeeper keeper;

  // `connection`: a new one. `state`: what it says.
  static Result<std::unique_ptr<File>> open(base::sqlite::Connection connection,
                                            const State& state,
                                            std::uint64_t removed_topics_max);
};

}  // namespace vrelo::log::sqlite
