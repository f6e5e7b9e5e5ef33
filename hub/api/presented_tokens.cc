// SPDX-License-Identifier: Apache-2.0
#include "hub/api/presented_tokens.h"

#include "hub/http/form.h"

namespace vrelo::api {

PresentedTokens::PresentedTokens(const http::Request& request) {
  for (const http::Field& field : request.fields) {
    if (http::iequals(field.name, "Authorization")) {
      authorization_.push_back(field.value);
    } else if (http::iequals(field.name, "Cookie")) {
      cookies_.push_back(field.value);
    }
  }
  http::FormReader reader(request.query);
  std::string buffer;
  while (const auto pair = reader.next()) {
    if (!query_ && http::form_decode(pair->name, buffer) == "authorization") {
      query_ = http::form_decode(pair->value);
    }
  }
}

}  // namespace vrelo::api
