// SPDX-License-Identifier: Apache-2.0
#include "cli/load/message.h"

#include <string>

#include <gtest/gtest.h>

namespace vrelo::cli::load {
namespace {

const Message kMessage{
    .number = 17, .sent = std::chrono::steady_clock::time_point(std::chrono::nanoseconds(123456))};

TEST(Messages, are_found_again_wherever_they_stand) {
  const Messages messages("a1");
  const std::string text = messages.write(kMessage, 0);
  EXPECT_EQ(text, "@@a1:17:123456@@");
  EXPECT_EQ(messages.find(text), kMessage);
  EXPECT_EQ(messages.find("{\"payload\":{\"data\":\"" + text + "\"}}"), kMessage);
  EXPECT_EQ(messages.find("@@" + text), kMessage);
}

TEST(Messages, are_filled_up) {
  const Messages messages("a1");
  EXPECT_EQ(messages.write(kMessage, 20), "@@a1:17:123456@@xxxx");
  EXPECT_EQ(messages.find(messages.write(kMessage, 1000)), kMessage);
}

TEST(Messages, of_another_run_and_what_only_looks_like_one_are_not_found) {
  const Messages messages("a1");
  for (const std::string data :
       {"", "@@", "@@a2:17:123456@@", "@@a1:", "@@a1:17", "@@a1:17:", "@@a1:17:123456",
        "@@a1:17:123456@", "@@a1:-1:123456@@", "@@a1:99999999999999999999:1@@",
        "@@a1:1:99999999999999999999@@"}) {
    EXPECT_EQ(messages.find(data), std::nullopt) << data;
  }
}

TEST(Messages, take_the_place_of_every_placeholder) {
  EXPECT_EQ(replaced("", "{message}", "a"), "");
  EXPECT_EQ(replaced("data={message}", "{message}", "a"), "data=a");
  EXPECT_EQ(replaced("{n}{n}-{m}-{n}", "{n}", "{n}"), "{n}{n}-{m}-{n}");
  EXPECT_EQ(replaced("{n}{n}-{m}-{n}", "{n}", "12"), "1212-{m}-12");
}

}  // namespace
}  // namespace vrelo::cli::load
