// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "sse/client/event_source.h"

namespace vrelo::cli {

// Says in half a sentence why a hub was of no use, in the words of its answer where there are some:
// "the hub refused (400): topic: it has a control character". Fit for a terminal, and at most 1,500
// bytes long, whatever the hub sent.
//
// Source: RFC 9457, with the member `field` that a vrelo hub adds.
std::string failure_text(const sse::client::Failure& failure);

// The exit status of a command that ends with `failure`: kNotConnected where no hub has said
// anything, else kFailed.
int failure_status(const sse::client::Failure& failure);

// "1.2 s", "4 min".
std::string delay_text(std::chrono::milliseconds delay);

}  // namespace vrelo::cli
