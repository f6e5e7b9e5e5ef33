// SPDX-License-Identifier: Apache-2.0
//
// The input is a ticket's text, or what a store has of its terms. Properties: a ticket has one
// form; terms that can be read are written so that they are read alike.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hub/auth/ticket.h"

namespace vrelo::auth {
namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void check(std::string_view text) {
  if (const auto hash = ticket_hash(text)) {
    require(text.size() == kTicketBytes && text.starts_with(kTicketPrefix));
    require(*hash == sha256(text));
    require(ticket_name(*hash).size() == 8);
  }
  TicketTerms terms;
  if (read_terms_json(text, terms)) {
    TicketTerms again;
    require(read_terms_json(terms_json(terms), again));
    // Times may be off by the last bit, as Boost.JSON reads them.
    for (Claims* const claims : {&terms.claims, &again.claims}) {
      claims->expires.reset();
      claims->issued_at.reset();
    }
    require(again == terms);
  }
}

}  // namespace
}  // namespace vrelo::auth

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  vrelo::auth::check({reinterpret_cast<const char*>(input), size});
  return 0;
}
