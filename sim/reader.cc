// SPDX-License-Identifier: Apache-2.0
#include "sim/reader.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "hub/auth/proof.h"

namespace vrelo::sim {
namespace {

// What a hub may ask a reader for. Source: DESIGN.md, "What the wire must get right".
constexpr std::chrono::milliseconds kRetryMin{350};
constexpr std::chrono::milliseconds kRetryMax = std::chrono::minutes(5);

// Readers of the simulation have less patience.
constexpr std::chrono::milliseconds kRetryPatience{4000};

constexpr std::uint64_t kDigestFactor = 1'099'511'628'211;  // FNV-1a's

}  // namespace

Reader::Reader(std::uint64_t number, const Store& store, Subscription wish, fanout::Ids ids)
    : number_(number),
      wish_(std::move(wish)),
      ids_(ids),
      witness_(store, wish_.selection, wish_.grant),
      cursor_(wish_.cursor) {}

Subscription Reader::request() {
  Subscription request = wish_;
  request.cursor = cursor_ ? std::optional(*cursor_ + cursor_suffix_) : std::nullopt;
  if (ids_ == fanout::Ids::kOwn) {
    id_suffix_ = auth::make_proof({}, std::to_string(number_), ++turn_);
    request.id_suffix = id_suffix_;
  }
  witness_.on_request(cursor_);
  return request;
}

void Reader::connect(Network::LinkPtr link) {
  link_ = std::move(link);
  sse::DecoderSink& sink = *this;
  decoder_.emplace(sink, sse::DecoderLimits{}, cursor_.value_or("") + cursor_suffix_);
  told_ = 0;
  ended_ = false;
  head_.clear();
  head_read_ = false;
  begun_ = false;
  dispatched_ = false;
  block_open_ = false;
  line_.clear();
}

void Reader::take(std::size_t bytes, base::Clock::Steady now) {
  Link& link = *link_;
  const std::string taken = link.under_way.substr(0, bytes);
  link.under_way.erase(0, taken.size());
  if (!taken.empty()) {
    link.taken += taken.size();
    link.progressed_at = now;
  }
  read(taken);
  if (link.hub_closed && link.under_way.empty()) {
    if (link.closed_for_nothing && !block_open_ && line_.empty()) {
      witness_.fail("its stream was closed between two blocks, and it took what came");
    }
    disconnect(now);
  }
}

void Reader::disconnect(base::Clock::Steady now) {
  link_->reader_closed = true;
  abandon(now);
}

void Reader::abandon(base::Clock::Steady now) {
  link_ = nullptr;
  stalled = false;
  slow = false;
  returns_at_ = now + std::min(retry_, kRetryPatience);
}

void Reader::read(std::string_view bytes) {
  for (const char byte : bytes) {
    digest_ = (digest_ ^ static_cast<unsigned char>(byte)) * kDigestFactor;
  }
  if (head_read_) {
    read_body(bytes);
    return;
  }
  head_ += bytes;
  const std::size_t end = head_.find("\r\n\r\n");
  if (end != std::string::npos) {
    head_read_ = true;
    static constexpr std::string_view kField = "Mercure-Last-Event-ID: ";
    const std::size_t field = head_.find(kField);
    std::optional<std::string> last_event_id;
    if (field < end) {
      const std::size_t value = field + kField.size();
      last_event_id = head_.substr(value, head_.find("\r\n", value) - value);
      if (last_event_id->ends_with(cursor_suffix_)) {
        last_event_id->resize(last_event_id->size() - cursor_suffix_.size());
      }
    }
    witness_.on_head(last_event_id);
    read_body(std::string_view(head_).substr(end + 4));
  }
}

void Reader::read_body(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end == std::string_view::npos ? end : end + 1);
    bytes.remove_prefix(piece.size());
    line_ += piece;
    dispatched_ = false;
    if (!decoder_->feed(piece)) {
      witness_.fail("an event too big to read");
    }
    if (end != std::string_view::npos) {
      end_line();
      line_.clear();
    }
  }
}

void Reader::end_line() {
  if (line_ == "\n") {
    block_open_ = false;
    end_block();
  } else if (line_.starts_with(':')) {
    if (block_open_) {
      witness_.fail("a comment inside a block");
    }
    ++seen_.comments;
  } else {
    block_open_ = true;
  }
}

void Reader::end_block() {
  if (dispatched_) {
    return;
  }
  const std::string id = plain(decoder_->last_event_id());
  if (!begun_) {
    begun_ = true;
    witness_.on_begin(id);
  } else if (id != cursor_) {
    if (wish_.hello == fanout::Hello::kNamed) {
      witness_.fail("a block with an id alone, for a reader that does not take it");
      return;
    }
    ++seen_.moves;
    witness_.on_moved(id);
  }
  if (wish_.hello == fanout::Hello::kQuiet) {
    keep(id);
  }
}

// The witness knows nothing of what ids end in.
std::string Reader::plain(std::string_view id) {
  if (!id.ends_with(id_suffix_)) {
    witness_.fail(fmt::format("the id {} of a stream whose ids end in {}", id, id_suffix_));
    return std::string(id);
  }
  return std::string(id.substr(0, id.size() - id_suffix_.size()));
}

void Reader::keep(std::string_view id) {
  cursor_ = id;
  cursor_suffix_ = id_suffix_;
}

void Reader::on_event(const sse::Event& given) {
  dispatched_ = true;
  const std::string id = plain(given.last_event_id);
  std::string data(given.data);
  if (const std::size_t at = data.find(cursor_suffix_); at != std::string::npos) {
    data.erase(at, cursor_suffix_.size());  // of the cursor that a gap repeats
  }
  const sse::Event event{.type = given.type, .data = data, .last_event_id = id};
  if (ended_) {
    witness_.fail(fmt::format("a {} after the end", event.type));
  } else if (begun_ && (event.type == "vrelo.end" || event.type == "vrelo.renew")) {
    on_hub_event(event.type);
  } else if (begun_) {
    ++seen_.events;
    seen_.gaps += event.type == "vrelo.gap" ? 1U : 0U;
    seen_.moves += event.type == "vrelo.position" ? 1U : 0U;
    witness_.on_event(event);
  } else if (event.type == "vrelo.gap") {
    ++seen_.gaps_at_begin;
    witness_.on_begin_with_gap(event);
  } else if (event.type == "vrelo.hello" && wish_.hello == fanout::Hello::kNamed &&
             event.data.empty()) {
    witness_.on_begin(event.last_event_id);
  } else {
    witness_.fail(fmt::format("a stream that begins with {}", event.type));
  }
  begun_ = true;
  keep(id);
}

void Reader::on_hub_event(std::string_view type) {
  ended_ = type == "vrelo.end";
  if (ended_) {
    ++seen_.ends;
  } else {
    ++seen_.told;
    ++told_;
  }
  if ((ended_ && !link_->right_ended) || told_ > link_->told) {
    witness_.fail(fmt::format("a {} for nothing", type));
  }
}

void Reader::on_retry(std::chrono::milliseconds delay) {
  if (delay < kRetryMin || delay > kRetryMax) {
    witness_.fail(fmt::format("asked to come back after {} ms", delay.count()));
  }
  retry_ = delay;
}

}  // namespace vrelo::sim
