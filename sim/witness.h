// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hub/auth/grant.h"
#include "hub/log/log.h"
#include "sim/store.h"
#include "sse/decoder.h"

namespace vrelo::sim {

// The beginning of an event's data, for people: its number, in the simulation.
std::string_view brief(std::string_view data);

// Compares what one reader sees, over all its connections, with the truth in the store: each event
// that is for it once, in order, committed, permitted; none left out but for what a gap announces,
// a gap only where something is gone, and no id that would bring the reader back behind events it
// has not seen.
//
// A publisher's id that several records have leads to the oldest that is kept, as the protocol
// says; such a cursor may move its reader back or forth, and the comparison goes on from where it
// led to.
class Witness {
 public:
  // Lifetime: `store` outlives the witness.
  Witness(const Store& store, log::Selection selection, auth::GrantPtr grant);

  // The reader asks for a stream, with the cursor it has.
  void on_request(const std::optional<std::string>& cursor);

  // The head of the response names the id that the stream goes on after; nullopt: it names none.
  void on_head(const std::optional<std::string>& last_event_id);

  // The first block says that the stream begins at `id`.
  void on_begin(std::string_view id);

  // The first block is a gap.
  void on_begin_with_gap(const sse::Event& event);

  void on_event(const sse::Event& event);

  // A block without an event has moved the reader's last id.
  void on_moved(std::string_view id);

  // What went wrong first; "": nothing.
  const std::string& fault() const { return fault_; }
  void fail(std::string fault);

  // What is in the log for the reader that it has not seen; "": nothing.
  std::string unread() const;

  // Where the reader is; nullopt: it has not been told yet.
  std::optional<log::Position> place() const { return place_; }

 private:
  struct Gap {
    std::string reason;
    std::string after;
    log::Position until;
  };

  bool has_cursor() const { return cursor_ && !cursor_->empty() && *cursor_ != "earliest"; }
  const Chapter* chapter_of(std::uint64_t epoch) const;
  bool is_for_reader(const log::Record& record, bool permitted_only) const;
  const log::Record* next_after(log::Position place) const;
  void begin_where_cursor_leads(log::Position start);
  std::optional<Gap> read_gap(const sse::Event& event);
  void check_gap(const Gap& gap);
  void check_unknown();
  void on_record(const sse::Event& event);
  std::string explain(const sse::Event& event) const;

  const Store& store_;
  const log::Selection selection_;
  const auth::GrantPtr grant_;

  std::optional<log::Position> place_;  // all up to here is seen, or is not for this reader

  // Of the request, and of the answer to it.
  std::optional<std::string> cursor_;
  log::Position begin_then_;
  log::Position end_then_;
  std::optional<std::string> answer_;

  std::string fault_;
};

}  // namespace vrelo::sim
