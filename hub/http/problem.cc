// SPDX-License-Identifier: Apache-2.0
#include "hub/http/problem.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "hub/base/text.h"

namespace vrelo::http {
namespace {

std::string printable(std::string_view text) {
  if (base::is_utf8(text)) {
    return std::string(text);
  }
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string shown;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      shown.push_back(c);
    } else {
      shown.append("\\x").append({kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return shown;
}

boost::json::string json_text(std::string_view text) {
  return {boost::json::string_view(text.data(), text.size())};
}

}  // namespace

std::string problem_json(const Problem& problem) {
  boost::json::object object{
      {"type", "about:blank"}, {"title", json_text(problem.title)}, {"status", problem.status}};
  if (!problem.detail.empty()) {
    object["detail"] = json_text(printable(problem.detail));
  }
  if (!problem.field.empty()) {
    object["field"] = json_text(printable(problem.field));
  }
  return boost::json::serialize(object);
}

void append_problem(std::string& out,
                    const Framing& framing,
                    const Problem& problem,
                    const FieldLines& fields) {
  FieldLines all = fields;
  if (!problem.challenge.empty()) {
    all.add("WWW-Authenticate", problem.challenge);
  }
  append_response(out, framing,
                  {.status = problem.status,
                   .fields = all,
                   .content_type = "application/problem+json",
                   .body = problem_json(problem)});
}

}  // namespace vrelo::http
