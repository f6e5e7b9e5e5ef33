// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/database.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "hub/log/sqlite/epoch_guard.h"
#include "hub/log/sqlite/examine.h"
#include "hub/log/sqlite/open_errc.h"
#include "hub/log/sqlite/record_codec.h"

namespace vrelo::log::sqlite {
namespace {

using base::sqlite::Connection;
using base::sqlite::ConnectionOptions;
using base::sqlite::Result;
using base::sqlite::Statement;
using base::sqlite::Transaction;

// records is the log itself, in order. runs and blocks are its index, see index_run.h; removed is
// the memory of what retention removed, see removed_topics.h.
constexpr const char* kSchema = R"(
  CREATE TABLE state(
    id INTEGER PRIMARY KEY CHECK(id = 1),
    epoch INTEGER NOT NULL,
    guard INTEGER NOT NULL,
    hash_key BLOB NOT NULL,
    begin_offset INTEGER NOT NULL,
    indexed_to INTEGER NOT NULL,
    forgotten_to INTEGER NOT NULL);
  CREATE TABLE records(
    offset INTEGER PRIMARY KEY,
    stored_at INTEGER NOT NULL,
    event BLOB NOT NULL);
  CREATE TABLE runs(
    first INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    block_first INTEGER NOT NULL,
    topic_fences BLOB NOT NULL,
    id_fences BLOB NOT NULL,
    id_filter BLOB NOT NULL);
  CREATE TABLE blocks(id INTEGER PRIMARY KEY, entries BLOB NOT NULL);
  CREATE TABLE removed(topic INTEGER PRIMARY KEY, offset INTEGER NOT NULL);
)";

// auto_vacuum lets pages at the file's end be given back when limits are lowered; it only holds if
// it is said before the first page is written.
constexpr const char* kWriterSettings =
    "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA "
    "cache_size=-16384;"
    "PRAGMA temp_store=MEMORY; PRAGMA busy_timeout=1000; PRAGMA journal_size_limit=67108864";
constexpr const char* kReaderSettings = "PRAGMA cache_size=-8192; PRAGMA busy_timeout=1000";

std::uint64_t random_value() {
  std::uint64_t value = 0;
  [[maybe_unused]] const ssize_t size = ::getrandom(&value, sizeof(value), 0);
  assert(size == sizeof(value));  // fails for no request of up to 256 bytes
  return value;
}

// SQLite's integers have a sign; ours are bits.
std::int64_t bits(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

std::uint64_t unbits(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

Result<void> create(Connection& connection, const State& state) {
  auto transaction = Transaction::begin(connection, Transaction::Kind::kWrite);
  if (!transaction) {
    return transaction.error();
  }
  if (auto done = connection.execute(kSchema); !done) {
    return done;
  }
  const std::string_view key(reinterpret_cast<const char*>(state.hash_key.data()),
                             sizeof(state.hash_key));
  auto insert = connection.prepare("INSERT INTO state VALUES(1, ?, ?, ?, 0, 0, 0)");
  if (!insert) {
    return insert.error();
  }
  insert->bind(1, bits(state.epoch)).bind(2, bits(state.guard)).bind_blob(3, key);
  if (auto done = insert->run(); !done) {
    return done;
  }
  if (auto done = connection.execute(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}",
                                                 kApplicationId, kSchemaVersion));
      !done) {
    return done;
  }
  return transaction->commit();
}

Result<void> write_epoch(Connection& connection, std::uint64_t epoch, std::uint64_t guard) {
  auto update = connection.prepare("UPDATE state SET epoch=?, guard=?");
  if (!update) {
    return update.error();
  }
  return update->bind(1, bits(epoch)).bind(2, bits(guard)).run();
}

}  // namespace

boost::system::result<State> prepare(const Location& location,
                                     const std::function<void(std::string_view)>& at_step) {
  const auto found = examine(location);
  if (!found) {
    return found.error();
  }
  const std::uint64_t guard = random_value();
  const std::array alone = {guard};
  const auto step = [&at_step](std::string_view name) {
    if (at_step) {
      at_step(name);
    }
  };
  step("examined");

  if (*found == Found::kNothing) {
    if (auto written = write_guards(location.file, alone); !written) {
      return written.error();
    }
    step("beside");
  }
  auto connection = open_writer(location);
  if (!connection) {
    return why_not(connection.error());
  }
  if (*found == Found::kNothing) {
    const State state{
        .epoch = random_value(), .guard = guard, .hash_key = {random_value(), random_value()}};
    if (auto created = create(*connection, state); !created) {
      return created.error();
    }
    step("inside");
    return state;
  }

  auto state = read_state(*connection);
  if (!state) {
    return why_not(state.error());
  }
  const std::vector<std::uint64_t> beside = read_guards(location.file);
  const bool from_backup = std::find(beside.begin(), beside.end(), state->guard) == beside.end();
  // The value of a file from a backup must not get beside it: a kill after that would make it pass.
  const std::vector<std::uint64_t> both = {state->guard, guard};
  const auto first = write_guards(
      location.file, from_backup ? std::span<const std::uint64_t>(alone) : std::span(both));
  if (!first) {
    return first.error();
  }
  step("beside");
  if (from_backup) {
    state->epoch = random_value();
  }
  state->guard = guard;
  if (auto written = write_epoch(*connection, state->epoch, guard); !written) {
    return written.error();
  }
  step("inside");
  if (auto written = write_guards(location.file, alone); !written) {
    return written.error();
  }
  step("beside alone");
  return state;
}

Result<Connection> open_writer(const Location& location) {
  auto connection = Connection::open(
      location.file, {.access = ConnectionOptions::Access::kCreate, .vfs = location.vfs});
  if (!connection) {
    return connection.error();
  }
  if (auto done = connection->execute(kWriterSettings); !done) {
    return done.error();
  }
  return connection;
}

Result<Connection> open_reader(const Location& location) {
  auto connection = Connection::open(
      location.file, {.access = ConnectionOptions::Access::kRead, .vfs = location.vfs});
  if (!connection) {
    return connection.error();
  }
  if (auto done = connection->execute(kReaderSettings); !done) {
    return done.error();
  }
  return connection;
}

Result<State> read_state(Connection& connection) {
  auto select = connection.prepare(
      "SELECT epoch, guard, hash_key, begin_offset, indexed_to, forgotten_to FROM state");
  if (!select) {
    return select.error();
  }
  const auto row = select->step();
  if (!row) {
    return row.error();
  }
  State state;
  if (!*row || select->bytes(2).size() != sizeof(state.hash_key)) {
    return base::sqlite::Errc::kDamaged;
  }
  state.epoch = unbits(select->integer(0));
  state.guard = unbits(select->integer(1));
  std::memcpy(state.hash_key.data(), select->bytes(2).data(), sizeof(state.hash_key));
  state.begin = unbits(select->integer(3));
  state.indexed_to = unbits(select->integer(4));
  state.forgotten_to = unbits(select->integer(5));
  return state;
}

Result<std::uint64_t> read_end(Connection& connection) {
  const auto end = connection.integer(
      "SELECT max(begin_offset, ifnull((SELECT max(offset) FROM records), 0)) FROM state");
  if (!end) {
    return end.error();
  }
  return unbits(*end);
}

boost::system::result<void> write_new_epoch(const Location& location) {
  const auto found = examine(location);
  if (!found) {
    return found.error();
  }
  if (*found == Found::kNothing) {
    return OpenErrc::kNotALog;
  }
  auto connection = open_writer(location);
  if (!connection) {
    return why_not(connection.error());
  }
  auto update = connection->prepare("UPDATE state SET epoch=?");
  if (!update) {
    return update.error();
  }
  return update->bind(1, bits(random_value())).run();
}

}  // namespace vrelo::log::sqlite
