// SPDX-License-Identifier: Apache-2.0
#include "hub/fanout/blocks.h"

#include <cassert>

#include <fmt/format.h>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "hub/log/event_id.h"
#include "sse/encoder.h"

namespace vrelo::fanout {
namespace {

std::string text_of(const sse::Block& block) {
  const auto encoded = sse::encode(block);
  assert(encoded.has_value());
  return std::string(encoded->bytes());
}

std::string heartbeat_comment(std::chrono::seconds heartbeat) {
  return fmt::format(": vrelo heartbeat={}\n", heartbeat.count());
}

std::string cursor_block(Hello hello,
                         std::string_view type,
                         std::optional<std::chrono::milliseconds> retry,
                         log::Position position,
                         std::string_view id_suffix) {
  const std::string id = log::event_id(position).append(id_suffix);
  if (hello == Hello::kNamed) {
    return text_of({.id = id, .type = type, .data = "", .retry = retry});
  }
  return text_of({.id = id, .retry = retry});
}

}  // namespace

std::string first_block(Hello hello,
                        std::chrono::seconds heartbeat,
                        std::chrono::milliseconds retry,
                        log::Position position,
                        std::string_view id_suffix) {
  return heartbeat_comment(heartbeat) +
         cursor_block(hello, "vrelo.hello", retry, position, id_suffix);
}

std::string lines_before_gap(std::chrono::seconds heartbeat, std::chrono::milliseconds retry) {
  return heartbeat_comment(heartbeat) + fmt::format("retry: {}\n", retry.count());
}

std::string position_block(Hello hello, log::Position position, std::string_view id_suffix) {
  return cursor_block(hello, "vrelo.position", std::nullopt, position, id_suffix);
}

std::string retry_block(std::chrono::milliseconds retry) {
  return text_of({.retry = retry});
}

std::string end_block(std::string_view reason, std::chrono::milliseconds retry) {
  const std::string data = boost::json::serialize(boost::json::object{{"reason", reason}});
  return text_of({.type = "vrelo.end", .data = data, .retry = retry});
}

std::string renew_block(std::chrono::seconds left) {
  const std::string data = fmt::format(R"({{"in":{}}})", left.count());
  return text_of({.type = "vrelo.renew", .data = data});
}

std::string gap_block(std::string_view reason,
                      std::string_view after,
                      log::Position until,
                      std::string_view id_suffix) {
  const std::string id = log::event_id(until);
  const std::string data = boost::json::serialize(
      boost::json::object{{"reason", reason}, {"after", after}, {"until", id}});
  const std::string line = id + std::string(id_suffix);
  return text_of({.id = line, .type = "vrelo.gap", .data = data});
}

}  // namespace vrelo::fanout
