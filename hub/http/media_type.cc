// SPDX-License-Identifier: Apache-2.0
#include "hub/http/media_type.h"

#include "hub/http/token.h"

namespace vrelo::http {

std::optional<std::string_view> media_type(std::string_view content_type) {
  const std::string_view type = trim(content_type.substr(0, content_type.find(';')));
  const auto slash = type.find('/');
  if (slash == std::string_view::npos || !is_token(type.substr(0, slash)) ||
      !is_token(type.substr(slash + 1))) {
    return std::nullopt;
  }
  return type;
}

}  // namespace vrelo::http
