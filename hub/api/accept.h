// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hub/http/request.h"

namespace vrelo::api {

// What a request says of text/event-stream in Accept.
enum class StreamWish {
  kRefused,   // it does not take one: 406
  kAccepted,  // it takes anything, or says nothing that can be read
  kNamed,     // it asks for one by name, as every EventSource does
};

// The most specific range that covers text/event-stream decides; of several that are equally
// specific, the one that refuses least. Parameters but `q` are not looked at. A field with an
// element that cannot be read counts as absent.
//
// Cost: linear in the field.
// Source: RFC 9110 12.5.1.
StreamWish stream_wish(const http::Request& request);

}  // namespace vrelo::api
