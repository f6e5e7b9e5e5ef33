// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/sqlite/ticket_file.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "hub/auth/sqlite/auth_file.h"
#include "hub/base/sqlite/connection.h"

namespace vrelo::auth::sqlite {
namespace {

namespace db = base::sqlite;

constexpr std::string_view kInsert =
    "INSERT OR REPLACE INTO tickets (hash, query, session, label, terms, key_print, minted_at,"
    " epoch, ticket_end, token_end, secret, first_request, grace_end, session_end, presented,"
    " given) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kSelect =
    "SELECT hash, query, session, label, terms, key_print, minted_at, epoch, ticket_end,"
    " coalesce(token_end, -1), secret, first_request, grace_end, session_end, presented, given"
    " FROM tickets ORDER BY minted_at";

// Keeps the file open, and opens it anew after an error: what of a failed commit is there, only the
// file knows.
class TicketFile final : public TicketKeeper {
 public:
  explicit TicketFile(std::string file) : file_(std::move(file)) {}

  db::Result<void> keep(std::span<const TicketBook::Change> changes, StoreTime now) override {
    auto kept = try_to_keep(changes, now);
    if (!kept) {
      statements_.reset();
      connection_.reset();
    }
    return kept;
  }

 private:
  struct Statements {
    db::Statement remove;
    db::Statement set_last;
  };

  db::Result<void> open() {
    auto opened = open_auth_file(file_);
    if (!opened) {
      return opened.error();
    }
    connection_.emplace(*std::move(opened));
    // Everybody who comes with a ticket waits as long.
    if (const auto done = connection_->execute("PRAGMA busy_timeout = 1000"); !done) {
      return done;
    }
    auto remove = connection_->prepare("DELETE FROM tickets WHERE hash = ?");
    auto set_last = connection_->prepare("INSERT OR REPLACE INTO last (id, at) VALUES (1, ?)");
    if (!remove || !set_last) {
      return remove ? set_last.error() : remove.error();
    }
    statements_.emplace(Statements{*std::move(remove), *std::move(set_last)});
    return {};
  }

  db::Result<void> try_to_keep(std::span<const TicketBook::Change> changes, StoreTime now) {
    if (!statements_) {
      if (const auto opened = open(); !opened) {
        return opened;
      }
    }
    auto transaction = db::Transaction::begin(*connection_, db::Transaction::Kind::kWrite);
    if (!transaction) {
      return transaction.error();
    }
    for (const TicketBook::Change& change : changes) {
      const auto done = change.record == nullptr
                            ? statements_->remove.bind_blob(1, raw_bytes(change.hash)).run()
                            : insert(change.hash, *change.record);
      if (!done) {
        return done;
      }
    }
    if (const auto done = statements_->set_last.bind(1, now.count()).run(); !done) {
      return done;
    }
    return transaction->commit();
  }

  db::Result<void> insert(const TicketHash& hash, const TicketRecord& record) {
    const TicketTerms& terms = *record.terms;
    const std::string json = terms_json(terms);
    const auto minted_at = std::chrono::floor<StoreTime>(terms.minted_at);
    // A statement of its own each time: bindings stay, and some of them must be NULL.
    auto prepared = connection_->prepare(kInsert);
    if (!prepared) {
      return prepared.error();
    }
    db::Statement& row = *prepared;
    row.bind_blob(1, raw_bytes(hash))
        .bind_blob(2, terms.query)
        .bind_blob(3, terms.session)
        .bind_blob(4, terms.label)
        .bind_blob(5, json)
        .bind_blob(6, raw_bytes(terms.key_print))
        .bind(7, minted_at.count())
        .bind_bits(8, terms.epoch)
        .bind(9, record.ticket_end.count());
    if (record.token_end) {
      row.bind(10, record.token_end->count());
    }
    if (record.session) {
      row.bind_blob(11, raw_bytes(record.session->secret))
          .bind_blob(12, raw_bytes(record.session->first_request))
          .bind(13, record.session->grace_end.count())
          .bind(14, record.session->end.count())
          .bind(15, record.session->presented)
          .bind(16, record.session->given);
    }
    return row.run();
  }

  const std::string file_;
  std::optional<db::Connection> connection_;
  std::optional<Statements> statements_;
};

std::optional<Digest> digest_of(std::string_view bytes) {
  Digest digest{};
  if (bytes.size() != digest.size()) {
    return std::nullopt;
  }
  std::copy(bytes.begin(), bytes.end(), digest.begin());
  return digest;
}

// Returns false where the row is none of ours.
bool read_row(const db::Statement& row, TicketHash& hash, TicketRecord& record) {
  TicketTerms terms{.query = std::string(row.bytes(1)),
                    .session = std::string(row.bytes(2)),
                    .label = std::string(row.bytes(3)),
                    .issuer = {},
                    .claims = {},
                    .minted_at = StoreTime(row.integer(6)),
                    .epoch = row.bits(7)};
  const auto name = digest_of(row.bytes(0));
  const auto key_print = digest_of(row.bytes(5));
  if (!name || !key_print || !read_terms_json(row.bytes(4), terms)) {
    return false;
  }
  hash = *name;
  terms.key_print = *key_print;
  record.ticket_end = StoreTime(row.integer(8));
  if (row.integer(9) >= 0) {
    record.token_end = StoreTime(row.integer(9));
  }
  record.terms = std::make_shared<const TicketTerms>(std::move(terms));
  if (row.bytes(10).empty()) {
    return true;
  }
  const auto secret = digest_of(row.bytes(10));
  const auto first_request = digest_of(row.bytes(11));
  if (!secret || !first_request || row.integer(14) < 0 || row.integer(15) < 1 ||
      row.integer(15) > kTurnMax) {
    return false;
  }
  record.session = TicketRecord::Session{.secret = *secret,
                                         .first_request = *first_request,
                                         .grace_end = StoreTime(row.integer(12)),
                                         .end = StoreTime(row.integer(13)),
                                         .presented = static_cast<std::uint32_t>(row.integer(14)),
                                         .given = static_cast<std::uint32_t>(row.integer(15))};
  return true;
}

db::Result<void> load(const std::string& file, KeptTickets& kept) {
  auto opened = read_auth_file(file);
  if (!opened) {
    return opened.error();
  }
  if (!opened->has_tickets) {
    return {};
  }
  const auto last = opened->connection.integer("SELECT coalesce(max(at), 0) FROM last");
  auto rows = opened->connection.prepare(kSelect);
  if (!last || !rows) {
    return last ? rows.error() : last.error();
  }
  kept.last = StoreTime(*last);
  for (;;) {
    const auto row = rows->step();
    if (!row) {
      return row.error();
    }
    if (!*row) {
      return {};
    }
    auto& [hash, record] = kept.tickets.emplace_back();
    if (!read_row(*rows, hash, record)) {
      return db::Errc::kDamaged;
    }
  }
}

}  // namespace

base::Parsed<KeptTickets> keep_tickets(const std::string& log_file) {
  KeptTickets kept;
  if (log_file.empty()) {
    return kept;
  }
  const std::string file = auth_file_of(log_file);
  if (std::error_code error; std::filesystem::exists(file, error)) {
    if (const auto loaded = load(file, kept); !loaded) {
      return base::Fault{file + ": " + loaded.error().message()};
    }
  }
  kept.keeper = std::make_unique<TicketFile>(file);
  return kept;
}

}  // namespace vrelo::auth::sqlite
