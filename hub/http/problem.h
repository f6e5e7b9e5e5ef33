// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace vrelo::http {

// Why a request was refused: what its sender is told, and what the log and the metrics say of it.
//
// Order: whoever refuses has changed nothing.
struct Problem {
  int status = 400;

  // A few fixed words that name the kind of refusal: also a metric's label, so never made from input.
  //
  // Lifetime: of static storage.
  std::string_view title;

  // What was wrong, as the sender calls it: a header, a form field or a query name. "": none of them.
  std::string field = {};

  // A sentence for the person who reads the answer; "": the title says it all.
  std::string detail = {};

  friend bool operator==(const Problem&, const Problem&) = default;
};

}  // namespace vrelo::http
