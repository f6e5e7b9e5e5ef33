// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "hub/auth/ticket_book.h"

namespace vrelo::auth {

// A digest that tests can tell from others.
inline Digest test_digest(int number) {
  Digest digest{};
  digest.fill(static_cast<unsigned char>(number));
  return digest;
}

// What a ticket of `subject` is minted for.
inline std::shared_ptr<TicketTerms> test_terms(std::string subject = "eva",
                                               std::string session = "session") {
  return std::make_shared<TicketTerms>(TicketTerms{
      .query = "match=a",
      .session = std::move(session),
      .label = "",
      .issuer = "https://app.example",
      .claims = {.issuer = "https://app.example",
                 .subject = std::move(subject),
                 .token_id = "t1",
                 .details = {{.allows_subscribe = true,
                              .topics = {{.kind = TopicMatcher::Kind::kAll, .text = ""}}}}},
      .epoch = 1});
}

}  // namespace vrelo::auth
