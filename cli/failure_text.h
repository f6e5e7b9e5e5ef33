// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "sse/client/event_source.h"
#include "sse/client/url.h"

namespace vrelo::cli {

// Says in half a sentence why the hub at `url` was of no use, in the words of its answer where
// there are some: "the hub refused (400): topic: it has a control character". Where there was no
// answer, or the system has stopped it, it says of whom: "127.0.0.1:3000: Connection refused". A
// refusal with a status of success is an answer to a publish that is no id. Fit for a terminal,
// and, but for that name, at most 1,500 bytes long, whatever the hub sent.
//
// Source: RFC 9457, with the member `field` that a vrelo hub adds.
std::string failure_text(const sse::client::Failure& failure, const sse::client::Url& url);

// Says what the person who typed `url` may do about a failure that ends their command, as the end
// of that sentence: "; is a hub running there?". "": the failure speaks for itself.
std::string advice(const sse::client::Failure& failure, const sse::client::Url& url);

// The exit status of a command that ends with `failure`: kNotConnected where no hub has said
// anything, else kFailed.
int failure_status(const sse::client::Failure& failure);

// "1.2 s", "4 min".
std::string delay_text(std::chrono::milliseconds delay);

}  // namespace vrelo::cli
