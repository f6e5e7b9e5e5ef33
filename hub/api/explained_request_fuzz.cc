// SPDX-License-Identifier: Apache-2.0
//
// The input is a token, a line end, and a query. Properties: what is refused has a field; what is
// not has nothing of the description left in it, and can be described again.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hub/api/explained_request.h"

namespace vrelo::api {
namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void check(std::string_view input) {
  const std::size_t end = std::min(input.find('\n'), input.size());
  http::Request description;
  description.fields = {{"Explained-Token", input.substr(0, end)}};
  description.query = input.substr(std::min(end + 1, input.size()));
  const auto explained = ExplainedRequest::read(description);
  if (!explained) {
    require(explained.error().status == 400 && !explained.error().field.empty());
    return;
  }
  const http::Request request = explained->request();
  const bool is_publish = explained->action() == Action::kPublish;
  const std::string_view rest = is_publish ? request.body : request.query;
  const std::string again =
      std::string(is_publish ? "action=publish&" : "action=subscribe&") + std::string(rest);
  description.query = again;
  const auto repeated = ExplainedRequest::read(description);
  require(repeated.has_value());
  const http::Request same = repeated->request();
  require((is_publish ? same.body : same.query) == rest);
  require(repeated->token() == input.substr(0, end));
}

}  // namespace
}  // namespace vrelo::api

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  vrelo::api::check({reinterpret_cast<const char*>(input), size});
  return 0;
}
