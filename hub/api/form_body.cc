// SPDX-License-Identifier: Apache-2.0
#include "hub/api/form_body.h"

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "hub/http/form.h"
#include "hub/http/media_type.h"

namespace vrelo::api {

std::optional<http::Problem> refuse_body_type(const http::Request& request) {
  constexpr std::string_view kContentEncoding = "Content-Encoding";
  if (const auto coding = request.field(kContentEncoding);
      coding && (!http::iequals(*coding, "identity") || request.count(kContentEncoding) > 1)) {
    return http::Problem{.status = 415,
                         .title = "unknown Content-Encoding",
                         .field = std::string(kContentEncoding),
                         .detail = "The body is sent as it is."};
  }
  constexpr std::string_view kContentType = "Content-Type";
  const auto value = request.field(kContentType);
  const bool is_repeated = request.count(kContentType) > 1;
  if (value == http::kFormType && !is_repeated) {
    return std::nullopt;  // as nearly all write it
  }
  const std::string field(kContentType);
  const std::string wanted = fmt::format("The body is sent as {}.", http::kFormType);
  if (!value) {
    return http::Problem{.title = "missing Content-Type", .field = field, .detail = wanted};
  }
  const auto type = http::media_type(*value);
  if (!type || is_repeated) {
    return http::Problem{.title = "malformed Content-Type", .field = field};
  }
  if (!http::iequals(*type, http::kFormType)) {
    return http::Problem{.status = 415, .title = "not a form", .field = field, .detail = wanted};
  }
  return std::nullopt;
}

}  // namespace vrelo::api
