// SPDX-License-Identifier: Apache-2.0
#include "sse/client/errc.h"

#include <string>

namespace vrelo::sse::client {
namespace {

const char* text_of(Errc errc) {
  switch (errc) {
    case Errc::kUrlMalformed:
      return "this is not a URL";
    case Errc::kUrlScheme:
      return "the URL must begin with http:// or https://";
    case Errc::kUrlHasCredentials:
      return "the URL holds a user or a password";
    case Errc::kTimedOut:
      return "no answer in time";
    case Errc::kSilent:
      return "the stream fell silent";
    case Errc::kCut:
      return "the connection broke";
    case Errc::kNotHttp:
      return "the answer is not HTTP/1.1";
    case Errc::kHeadTooBig:
      return "the head of the answer is too big";
    case Errc::kAnswerTooBig:
      return "the answer is too big";
    case Errc::kRedirectMalformed:
      return "the server redirects to what is not a URL";
    case Errc::kRedirectToPlain:
      return "the server redirects from https to http";
    case Errc::kRedirectsTooMany:
      return "the server redirects too often";
    case Errc::kNoContent:
      return "the server has no more events";
    case Errc::kEnded:
      return "the stream ended";
    case Errc::kRefused:
      return "the server refused";
    case Errc::kNotEventStream:
      return "the answer is not an event stream";
  }
  return nullptr;
}

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "vrelo.sse.client"; }

  std::string message(int value) const override {
    const char* const text = text_of(static_cast<Errc>(value));
    return text != nullptr ? text : "unknown error " + std::to_string(value);
  }
};

}  // namespace

boost::system::error_code make_error_code(Errc errc) {
  static const Category category;
  return {static_cast<int>(errc), category};
}

}  // namespace vrelo::sse::client
