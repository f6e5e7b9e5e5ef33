// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/remover.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "hub/log/sqlite/record_codec.h"

namespace vrelo::log::sqlite {
namespace {

using base::sqlite::Connection;
using base::sqlite::Result;
using base::sqlite::Statement;

std::int64_t bits(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

}  // namespace

Result<Remover> Remover::open(Connection& connection,
                              const State& state,
                              std::uint64_t topics_max) {
  std::array<Result<Statement>, 5> prepared = {
      connection.prepare("SELECT offset, stored_at, event FROM records WHERE offset > ?"),
      connection.prepare("DELETE FROM records WHERE offset <= ?"),
      connection.prepare("UPDATE removed SET offset=?2 WHERE topic=?1"),
      connection.prepare("INSERT INTO removed VALUES(?1, ?2)"),
      connection.prepare("UPDATE state SET begin_offset=?, forgotten_to=?")};
  for (const auto& statement : prepared) {
    if (!statement) {
      return statement.error();
    }
  }
  const auto topics = connection.integer("SELECT count(*) FROM removed");
  if (!topics) {
    return topics.error();
  }
  return Remover(std::move(*prepared[0]), std::move(*prepared[1]), std::move(*prepared[2]),
                 std::move(*prepared[3]), std::move(*prepared[4]), state, topics_max,
                 static_cast<std::uint64_t>(*topics));
}

Remover::Remover(Statement select,
                 Statement erase,
                 Statement update_topic,
                 Statement insert_topic,
                 Statement update_state,
                 const State& state,
                 std::uint64_t topics_max,
                 std::uint64_t topics)
    : select_(std::move(select)),
      erase_(std::move(erase)),
      update_topic_(std::move(update_topic)),
      insert_topic_(std::move(insert_topic)),
      update_state_(std::move(update_state)),
      hash_key_(state.hash_key),
      topics_max_(topics_max),
      known_{.topics = topics, .forgotten_to = state.forgotten_to},
      committed_(known_) {}

Result<Removed> Remover::remove(Connection& connection,
                                std::uint64_t begin,
                                std::uint64_t end,
                                Excess excess,
                                std::size_t records_max) {
  Removed removed{.begin = begin};
  std::unordered_map<std::uint64_t, std::uint64_t> last;  // offset by topic
  select_.bind(1, bits(begin));
  while (removed.begin < end && removed.begin - begin < records_max) {
    const auto row = select_.step();
    if (!row) {
      select_.reset();
      return row.error();
    }
    const auto event = *row ? decode_event(select_.bytes(2)) : std::nullopt;
    if (!event || select_.bits(0) != removed.begin + 1) {
      select_.reset();
      return base::sqlite::Errc::kDamaged;
    }
    if (excess.bytes == 0 && excess.records == 0 && select_.integer(1) >= excess.stored_before) {
      break;
    }
    const std::uint64_t bytes = record_bytes(select_.bytes(2));
    excess.bytes -= std::min(excess.bytes, bytes);
    excess.records -= std::min<std::uint64_t>(excess.records, 1);
    ++removed.begin;
    removed.bytes += bytes;
    for (const std::string& topic : event->topics) {
      last[siphash(hash_key_, topic)] = removed.begin;
    }
  }
  select_.reset();
  if (removed.begin != begin) {
    if (auto erased = erase_.bind(1, bits(removed.begin)).run(); !erased) {
      return erased.error();
    }
    for (const auto& [topic, offset] : last) {
      if (auto noted = note(connection, topic, offset); !noted) {
        return noted.error();
      }
    }
    if (known_.topics > topics_max_) {
      if (auto forgotten = forget(connection); !forgotten) {
        return forgotten.error();
      }
    }
    update_state_.bind(1, bits(removed.begin)).bind(2, bits(known_.forgotten_to));
    if (auto updated = update_state_.run(); !updated) {
      return updated.error();
    }
  }
  removed.forgotten_to = known_.forgotten_to;
  return removed;
}

Result<void> Remover::note(Connection& connection, std::uint64_t topic, std::uint64_t offset) {
  update_topic_.bind(1, bits(topic)).bind(2, bits(offset));
  if (auto updated = update_topic_.run(); !updated) {
    return updated;
  }
  if (connection.changes() > 0) {
    return {};
  }
  insert_topic_.bind(1, bits(topic)).bind(2, bits(offset));
  ++known_.topics;
  return insert_topic_.run();
}

// Cost: sorts the offsets of all topics, so it is done for many at once.
Result<void> Remover::forget(Connection& connection) {
  const auto border =
      connection.integer(fmt::format("SELECT offset FROM removed ORDER BY offset LIMIT 1 OFFSET {}",
                                     known_.topics - topics_max_ + topics_max_ / 8));
  if (!border) {
    return border.error();
  }
  auto forgotten =
      connection.execute(fmt::format("DELETE FROM removed WHERE offset <= {}", *border));
  if (!forgotten) {
    return forgotten;
  }
  known_.topics -= static_cast<std::uint64_t>(connection.changes());
  known_.forgotten_to = static_cast<std::uint64_t>(*border);
  return {};
}

void Remover::committed() {
  committed_ = known_;
}

void Remover::rolled_back() {
  known_ = committed_;
}

Result<std::int64_t> Remover::oldest(std::uint64_t begin) {
  select_.bind(1, bits(begin));
  const auto row = select_.step();
  const std::int64_t stored_at =
      row && *row ? select_.integer(1) : std::numeric_limits<std::int64_t>::max();
  select_.reset();
  if (!row) {
    return row.error();
  }
  return stored_at;
}

}  // namespace vrelo::log::sqlite
