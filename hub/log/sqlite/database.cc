// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/database.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <span>

#include <fmt/format.h>

#include "hub/log/sqlite/end_mark.h"
#include "hub/log/sqlite/epoch_guard.h"
#include "hub/log/sqlite/examine.h"
#include "hub/log/sqlite/open_errc.h"

namespace vrelo::log::sqlite {
namespace {

using base::sqlite::Connection;
using base::sqlite::ConnectionOptions;
using base::sqlite::Result;
using base::sqlite::Transaction;

// records is the log itself, in order. runs and blocks are its index, see index_run.h; removed has
// at most one row, what is known of records that retention removed, see removed_topics.h.
constexpr const char* kSchema = R"(
  CREATE TABLE state(
    id INTEGER PRIMARY KEY CHECK(id = 1),
    epoch INTEGER NOT NULL,
    guard INTEGER NOT NULL,
    hash_key BLOB NOT NULL,
    begin_offset INTEGER NOT NULL,
    begin_bytes INTEGER NOT NULL,
    indexed_to INTEGER NOT NULL,
    indexed_bytes INTEGER NOT NULL);
  CREATE TABLE records(
    offset INTEGER PRIMARY KEY,
    stored_at INTEGER NOT NULL,
    event BLOB NOT NULL);
  CREATE TABLE runs(
    last INTEGER PRIMARY KEY,
    after INTEGER NOT NULL,
    topics INTEGER NOT NULL,
    block_first INTEGER NOT NULL,
    topic_fences BLOB NOT NULL,
    id_fences BLOB NOT NULL,
    content_fences BLOB NOT NULL,
    content_filter BLOB NOT NULL,
    checksum INTEGER NOT NULL);
  CREATE TABLE blocks(
    number INTEGER PRIMARY KEY,
    checksum INTEGER NOT NULL,
    entries BLOB NOT NULL);
  CREATE TABLE removed(
    id INTEGER PRIMARY KEY CHECK(id = 1),
    topics INTEGER NOT NULL,
    forgotten_to INTEGER NOT NULL,
    block_first INTEGER NOT NULL,
    fences BLOB NOT NULL,
    checksum INTEGER NOT NULL);
)";

// Lets pages at the file's end be given back when limits are lowered. It only holds if it is said
// before the first page is written; said later it writes one, for which there may be no room.
constexpr const char* kNewFileSettings = "PRAGMA auto_vacuum=INCREMENTAL;";

// secure_delete, which Debian's SQLite has on, would write each page that retention frees once
// more, full of zeros.
//
// The time to wait comes first: others already read the file, and whoever closes the last other
// connection holds its lock for a moment.
constexpr const char* kWriterSettings =
    "PRAGMA busy_timeout=1000; PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL; PRAGMA secure_delete=FAST; PRAGMA cache_size=-16384;"
    "PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=67108864";
constexpr const char* kReaderSettings = "PRAGMA busy_timeout=1000; PRAGMA cache_size=-8192";

std::uint64_t random_value() {
  std::uint64_t value = 0;
  [[maybe_unused]] const ssize_t size = ::getrandom(&value, sizeof(value), 0);
  assert(size == sizeof(value));  // fails for no request of up to 256 bytes
  return value;
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
  auto insert = connection.prepare("INSERT INTO state VALUES(1, ?, ?, ?, 0, 0, 0, 0)");
  if (!insert) {
    return insert.error();
  }
  insert->bind_bits(1, state.epoch).bind_bits(2, state.guard).bind_blob(3, key);
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

// Opens what may be there.
Result<Connection> open(const Location& location,
                        ConnectionOptions::Access access,
                        const std::string& settings) {
  auto connection = Connection::open(location.file, {.access = access, .vfs = location.vfs});
  if (!connection) {
    return connection.error();
  }
  // Now that it is open, no other file gets its identity.
  if (location.identity && identify(location.file) != location.identity) {
    return base::sqlite::Errc::kCannotOpen;
  }
  if (auto done = connection->execute(settings); !done) {
    return done.error();
  }
  return connection;
}

Result<void> write_epoch(Connection& connection, std::uint64_t epoch, std::uint64_t guard) {
  auto update = connection.prepare("UPDATE state SET epoch=?, guard=?");
  if (!update) {
    return update.error();
  }
  return update->bind_bits(1, epoch).bind_bits(2, guard).run();
}

void tell(const AtStep& at_step, std::string_view name) {
  if (at_step) {
    at_step(name);
  }
}

// The steps of epoch_guard.h. `state`: what the file says. `beside_first`: what the first of them
// writes.
boost::system::result<void> take_steps(Connection& connection,
                                       const std::string& file,
                                       const State& state,
                                       std::span<const std::uint64_t> beside_first,
                                       const AtStep& at_step) {
  const std::uint64_t guard = beside_first.back();
  if (auto written = write_guards(file, beside_first); !written) {
    return written;
  }
  tell(at_step, "beside");
  if (auto written = write_epoch(connection, state.epoch, guard); !written) {
    return written;
  }
  tell(at_step, "inside");
  if (auto written = write_guards(file, std::array{guard}); !written) {
    return written;
  }
  tell(at_step, "beside alone");
  return {};
}

// Takes the steps of a start with a log that is there.
boost::system::result<Prepared> start_on(Connection& connection,
                                         const std::string& file,
                                         std::uint64_t guard,
                                         const AtStep& at_step) {
  auto state = read_state(connection);
  if (!state) {
    return why_not(state.error());
  }
  const auto beside = read_guards(file);
  if (!beside) {
    return beside.error();
  }
  const auto mark = read_end_mark(file);
  if (!mark) {
    return mark.error();
  }
  const auto end = read_end(connection);
  if (!end) {
    return why_not(end.error());
  }
  Prepared prepared{.hash_key = state->hash_key};
  if (std::find(beside->begin(), beside->end(), state->guard) == beside->end()) {
    prepared.new_epoch = "not the file that the last start left, but from before it or elsewhere";
  } else if (*mark > Position{.epoch = state->epoch, .offset = *end}) {
    prepared.new_epoch = "events are lost that were acknowledged";
  }
  if (!prepared.new_epoch.empty()) {
    state->epoch = random_value();
    // The value of a file from a backup must not get beside it: a kill after that would make it
    // pass.
    if (auto taken = take_steps(connection, file, *state, std::array{guard}, at_step); !taken) {
      return taken.error();
    }
    return prepared;
  }
  const auto renewed = renew_guard(connection, file, guard, at_step);
  if (!renewed && renewed.error() != base::sqlite::Errc::kFull) {
    return renewed.error();
  }
  if (!renewed) {
    prepared.guard_to_write = guard;
  }
  return prepared;
}

}  // namespace

boost::system::result<Prepared> prepare(const Location& location, const AtStep& at_step) {
  const auto found = examine(location);
  if (!found) {
    return found.error();
  }
  const std::uint64_t guard = random_value();
  tell(at_step, "examined");

  if (*found == Found::kNothing) {
    if (auto written = write_guards(location.file, std::array{guard}); !written) {
      return written.error();
    }
    tell(at_step, "beside");
  }
  const std::string settings = *found == Found::kNothing ? kNewFileSettings : "";
  auto connection = open(location, ConnectionOptions::Access::kCreate, settings + kWriterSettings);
  if (!connection) {
    return why_not(connection.error());
  }
  if (*found == Found::kNothing) {
    const State state{
        .epoch = random_value(), .guard = guard, .hash_key = {random_value(), random_value()}};
    if (auto created = create(*connection, state); !created) {
      return created.error();
    }
    tell(at_step, "inside");
    return Prepared{.hash_key = state.hash_key};
  }
  return start_on(*connection, location.file, guard, at_step);
}

boost::system::result<void> renew_guard(Connection& connection,
                                        const std::string& file,
                                        std::uint64_t guard,
                                        const AtStep& at_step) {
  const auto state = read_state(connection);
  if (!state) {
    return state.error();
  }
  if (state->guard == guard) {
    return write_guards(file, std::array{guard});
  }
  return take_steps(connection, file, *state, std::array{state->guard, guard}, at_step);
}

Result<Connection> open_writer(const Location& location) {
  return open(location, ConnectionOptions::Access::kWrite, kWriterSettings);
}

Result<Connection> open_reader(const Location& location) {
  return open(location, ConnectionOptions::Access::kRead, kReaderSettings);
}

Result<State> read_state(Connection& connection) {
  auto select = connection.prepare(
      "SELECT epoch, guard, hash_key, begin_offset, begin_bytes, indexed_to, indexed_bytes "
      "FROM state");
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
  state.epoch = select->bits(0);
  state.guard = select->bits(1);
  std::memcpy(state.hash_key.data(), select->bytes(2).data(), sizeof(state.hash_key));
  state.begin = select->bits(3);
  state.begin_bytes = select->bits(4);
  state.indexed_to = select->bits(5);
  state.indexed_bytes = select->bits(6);
  // Each record counts some bytes.
  if ((state.begin <=> state.indexed_to) != (state.begin_bytes <=> state.indexed_bytes)) {
    return base::sqlite::Errc::kDamaged;
  }
  return state;
}

Result<std::uint64_t> read_end(Connection& connection) {
  const auto end = connection.integer(
      "SELECT max(begin_offset, indexed_to, ifnull((SELECT max(offset) FROM records), 0)) FROM "
      "state");
  if (!end) {
    return end.error();
  }
  return static_cast<std::uint64_t>(*end);
}

Result<std::uint64_t> begin_epoch(Connection& connection) {
  const std::uint64_t epoch = random_value();
  auto update = connection.prepare("UPDATE state SET epoch=?");
  if (!update) {
    return update.error();
  }
  if (auto done = update->bind_bits(1, epoch).run(); !done) {
    return done.error();
  }
  return epoch;
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
  const auto begun = begin_epoch(*connection);
  if (!begun) {
    return begun.error();
  }
  return {};
}

}  // namespace vrelo::log::sqlite
