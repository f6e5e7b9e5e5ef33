// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "hub/http/response.h"

namespace vrelo::http {

// Why a request was refused: what its sender is told, and what the log and the metrics say of it.
//
// Order: whoever refuses has changed nothing.
struct Problem {
  int status = 400;

  // A few fixed words that name the kind of refusal: also a metric's label, so never made from
  // input.
  //
  // Lifetime: of static storage.
  std::string_view title;

  // What was wrong, as the sender calls it: a header, a form field or a query name. "": none of
  // them.
  std::string field = {};

  // A sentence for the person who reads the answer; "": the title says it all.
  std::string detail = {};

  // The value of the field WWW-Authenticate; "": there is none.
  std::string challenge = {};

  // What the log alone says, since the sender shall not learn it; "": nothing.
  std::string log_detail = {};

  friend bool operator==(const Problem&, const Problem&) = default;
};

// Says that `field` of a request is not as it must be.
inline Problem malformed(std::string_view title, std::string_view field, std::string detail) {
  return {.title = title, .field = std::string(field), .detail = std::move(detail)};
}

// The body of the answer to `problem`: type, title, status, and where there is one, detail and
// field. The type is "about:blank": the status says what a program has to do, and the title is for
// people.
//
// Bytes that are not UTF-8 are shown as \xHH, since JSON cannot hold them.
// Source: RFC 9457; `field` is a member of our own.
std::string problem_json(const Problem& problem);

// Appends the whole answer. `fields` are further ones: Retry-After, Allow, those of CORS. That of
// the challenge, if there is one, comes after them.
void append_problem(std::string& out,
                    const Framing& framing,
                    const Problem& problem,
                    const FieldLines& fields = {});

}  // namespace vrelo::http
