// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

namespace vrelo::sse::client {

template <typename T>
using Result = boost::system::result<T>;

// Why there is no stream, where neither the system nor the TLS library has said it.
enum class Errc {
  kUrlMalformed = 1,
  kUrlScheme,          // neither http nor https
  kUrlHasCredentials,  // user and password in a URL end up in logs and in shell histories

  kTimedOut,           // no connection or no answer in time
  kSilent,             // a stream brought not even a heartbeat for too long
  kCut,                // the connection ended inside an answer
  kNotHttp,            // an answer that is not HTTP/1.1, or breaks its rules
  kHeadTooBig,         // of an answer
  kAnswerTooBig,       // its body
  kRedirectMalformed,  // no place in it, or one that is no URL
  kRedirectToPlain,    // from https to http
  kRedirectsTooMany,

  kNoContent,       // status 204: the server asks not to come back
  kEnded,           // the stream ended, as a server ends it
  kRefused,         // a status other than 200
  kNotEventStream,  // 200 with something else
};

boost::system::error_code make_error_code(Errc errc);

}  // namespace vrelo::sse::client

template <>
struct boost::system::is_error_code_enum<vrelo::sse::client::Errc> : std::true_type {};
