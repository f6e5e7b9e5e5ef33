// SPDX-License-Identifier: Apache-2.0
//
// Properties: an event that is read keeps the promises of log::Event; written as a form again, it
// reads the same; what is refused has a status and a name of static storage.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hub/api/publish_request.h"
#include "hub/api/reserved_topic.h"
#include "hub/base/text.h"

namespace vrelo::api {
namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

http::Request request_of(std::string_view form) {
  http::Request request;
  request.method = http::Method::kPost;
  request.fields = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.body = form;
  return request;
}

void add(std::string& form, std::string_view name, std::string_view value) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  form.append(name).append("=");
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    form.append("%").append({kDigits[byte >> 4], kDigits[byte & 15]});
  }
  form.append("&");
}

std::string form_of(const log::Event& event) {
  std::string form;
  for (const std::string& topic : event.topics) {
    add(form, "topic", topic);
  }
  add(form, "data", event.data);
  add(form, "id", event.id);
  add(form, "type", event.type);
  if (event.retry) {
    add(form, "retry", std::to_string(event.retry->count()));
  }
  return event.is_private ? form + "private" : form;
}

void check(std::string_view form) {
  const Policy policy{.topics_max = 5, .topic_bytes_max = 40};
  const auto event = read_publish(request_of(form), policy);
  if (!event) {
    require(event.error().status == 400 || event.error().status == 413);
    require(!event.error().title.empty() && !event.error().field.empty());
    return;
  }
  require(!event->topics.empty() && event->topics.size() <= policy.topics_max);
  for (const std::string& topic : event->topics) {
    require(topic.size() <= policy.topic_bytes_max && !base::find_fault(topic));
    require(topic != "*" && !resolves_to_hub(topic));
  }
  require(base::is_utf8(event->data));
  require(event->id.size() <= kIdBytesMax && !base::find_fault(event->id));
  require(!event->id.starts_with('#') && event->id != "earliest");
  require(event->type.size() <= kTypeBytesMax && !base::find_fault(event->type));
  require(event->type != "mercure" && !event->type.starts_with("vrelo."));

  const std::string again = form_of(*event);
  require(read_publish(request_of(again), policy) == event);
}

}  // namespace
}  // namespace vrelo::api

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  vrelo::api::check({reinterpret_cast<const char*>(input), size});
  return 0;
}
