// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "hub/base/https_url.h"
#include "hub/base/setting_text.h"
#include "hub/base/task.h"

namespace vrelo::net {

struct HttpsRequest {
  base::HttpsUrl url = {};
  std::string ca = {};      // who signs for the server, in PEM; "": those whom the system trusts
  std::string accept = {};  // the media types that are wanted
  std::size_t body_bytes_max = std::size_t{1} << 20;
};

// A request that is under way. Destroying it ends it, without another word.
//
// Threads: one, that of its executor.
// Lifetime: ends before the executor's loop does.
class Transfer {
 public:
  virtual ~Transfer() = default;
};

// Takes the body of an answer, or half a sentence about why there is none. It may destroy the
// Transfer.
using Fetched = std::function<void(base::Parsed<std::string>)>;

// Fetches a document, and calls `fetched` once, on the executor, never from in here. There is no
// limit of time: whoever has waited for long enough destroys the Transfer.
//
// Only an answer with status 200 to this URL counts: redirects are not followed, neither cookies
// nor a proxy are known. TLS is 1.2 or later, with the server's certificate and name checked.
// OpenSSL's own variables SSL_CERT_FILE and SSL_CERT_DIR change whom the system trusts.
std::unique_ptr<Transfer> https_get(base::Executor executor, HttpsRequest request, Fetched fetched);

}  // namespace vrelo::net
