// SPDX-License-Identifier: Apache-2.0
#include "cli/pub.h"

#include <unistd.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/failure_text.h"
#include "cli/hub_url.h"
#include "cli/input.h"
#include "cli/plan.h"
#include "cli/printable.h"
#include "cli/publication.h"
#include "cli/publisher.h"
#include "cli/token_file.h"

namespace vrelo::cli {
namespace {

using boost::system::error_code;
using sse::client::Failure;
using sse::client::Task;

constexpr const char* kName = "vrelo pub";
constexpr std::size_t kInputBytesMax = std::size_t{16} << 20;  // of one event
constexpr std::size_t kBatchBytesMax = std::size_t{1} << 20;

constexpr const char* kAbout =
    "vrelo pub: publishes an event and prints its id once the hub has stored it. Where the answer "
    "is\n"
    "lost on the way, it asks again; each event has an id of its own, so that it is stored once.\n";

constexpr const char* kExamples = R"(
Without DATA, or with -, the data is standard input, without the line end that it may
end with. Data that begins with - stands behind --.

With --ndjson each line of standard input is an event: a JSON object with the members
data, topic (a text or a list), id, type, retry and private, none of which has to be
there; what is missing is taken from the arguments. Data that is not a text is published
as JSON. Empty lines are passed over. The events are published in their order, and their
ids printed in it. The first line that is no event, or that the hub refuses, ends it;
how many are published is then said on standard error.

Exit status: 0 when all is published; 1 when something is not; 2 for bad arguments; 3
when there is no hub to talk to; 130 after Ctrl-C.

Examples:
  vrelo pub http://127.0.0.1:3000 news 'Hello, world'
  date | vrelo pub http://127.0.0.1:3000 time --type tick
  vrelo pub http://127.0.0.1:3000 --ndjson < events.ndjson
  tail -f log.ndjson | vrelo pub http://127.0.0.1:3000 log --ndjson
)";

struct Options {
  std::string url;
  TokenOptions token;
  std::string topic;
  std::string data;
  bool has_data = false;
  std::vector<std::string> other_topics;
  std::string id;
  std::string type;
  std::string retry;
  bool is_private = false;
  bool ndjson = false;
};

std::optional<int> read_options(Options& options,
                                const std::vector<std::string>& arguments,
                                Process& process) {
  CLI::App app(kAbout, kName);
  app.add_option("URL", options.url, "The hub.")->required()->type_name("");
  app.add_option("TOPIC", options.topic, "The event's topic.")->type_name("");
  const auto* const data =
      app.add_option("DATA", options.data, "Its data; -: standard input.")->type_name("");
  app.add_option("--topic", options.other_topics, "A further topic; may be repeated.")
      ->allow_extra_args(false)
      ->type_name("TOPIC");
  app.add_option("--type", options.type, "The event's type.")->type_name("TYPE");
  app.add_option("--id", options.id, "Its id; without it, a new urn:uuid:….")->type_name("ID");
  app.add_option("--retry", options.retry,
                 "Milliseconds after which readers come back whose stream ends.")
      ->type_name("MS");
  app.add_flag("--private", options.is_private, "For readers that may read its topics only.");
  app.add_flag("--ndjson", options.ndjson, "Publish each line of standard input.");
  add_token_options(app, options.token);
  app.footer(kExamples);
  const auto status = read_arguments(app, arguments, process.out, process.err);
  options.has_data = data->count() > 0;
  return status;
}

// What the options say, where they make sense.
struct Plan {
  sse::client::Url url;
  Publication publication;  // with --ndjson: what holds for each of them
  Fields fields;
  bool reads_data = false;
  bool ndjson = false;
};

base::Parsed<Plan> make_plan(const Options& options) {
  const auto url = read_url(options.url);
  if (!url) {
    return url.error();
  }
  Plan plan{.url = hub_url(*url),
            .publication = {.topics = options.other_topics,
                            .data = options.data,
                            .id = options.id,
                            .type = options.type,
                            .is_private = options.is_private},
            .fields = {},
            .reads_data = !options.has_data || options.data == "-",
            .ndjson = options.ndjson};
  auto fields = token_fields(options.token);
  if (!fields) {
    return fields.error();
  }
  plan.fields = *std::move(fields);
  if (!options.topic.empty()) {
    plan.publication.topics.insert(plan.publication.topics.begin(), options.topic);
  }
  if (!options.retry.empty()) {
    const auto retry = base::parse_count(options.retry);
    if (!retry) {
      return base::Fault{fmt::format("--retry: \"{}\" is not a whole number of milliseconds",
                                     printable(options.retry))};
    }
    plan.publication.retry_ms = *retry;
  }
  if (!options.ndjson && plan.publication.topics.empty()) {
    return base::Fault{"there is no topic: it stands behind the URL"};
  }
  if (options.ndjson && !plan.reads_data) {
    return base::Fault{"--ndjson reads standard input, so that there is no place for DATA"};
  }
  if (options.ndjson && !options.id.empty()) {
    return base::Fault{"--ndjson publishes many events, which cannot all have the same --id"};
  }
  if (plan.reads_data) {
    plan.publication.data.clear();
  }
  return plan;
}

class Pub final : public PublisherObserver {
 public:
  Pub(Process& process, Plan plan)
      : process_(process),
        plan_(std::move(plan)),
        publisher_(process.network, plan_.url, plan_.fields, *this, process.seed) {}

  Task<int> run() {
    auto input = Input::open(process_.network.executor, process_.in_fd);
    if (plan_.reads_data && ::isatty(process_.in_fd) == 1) {
      say(process_.err, kName,
          plan_.ndjson ? "type an event a line; Ctrl-D ends it" : "type the data; Ctrl-D ends it");
    }
    if (!plan_.reads_data) {
      add(plan_.publication);
      co_await flush();
    } else if (!input) {
      fail("standard input: " + input.error().message());
    } else if (plan_.ndjson) {
      co_await publish_lines(*input);
      say_what_became_of_them();
    } else {
      co_await publish_whole(*input);
    }
    co_return status_;
  }

  void on_published(std::size_t /*index*/, std::string_view id) override {
    ++published_;
    ids_ += process_.out_look.is_terminal ? printable(id) : std::string(id);
    ids_ += '\n';
  }

  void on_refused(std::size_t index, const Failure& failure) override {
    ++refused_;
    fail(line_prefix(index) + failure_text(failure, plan_.url) + advice(failure, plan_.url));
  }

  void on_wait(const Failure& failure, std::chrono::milliseconds delay) override {
    write_ids();
    say(process_.err, kName,
        failure_text(failure, plan_.url) + "; next attempt in " + delay_text(delay));
  }

 private:
  bool is_over() const { return status_ != kOk; }

  Task<void> publish_whole(Input& input) {
    std::string& data = plan_.publication.data;
    while (co_await read_more(input, data)) {
      if (data.size() > kInputBytesMax) {
        fail(fmt::format("standard input is longer than {} bytes", kInputBytesMax));
      }
    }
    if (data.ends_with('\n')) {
      data.pop_back();
    }
    if (!is_over()) {
      add(plan_.publication);
      co_await flush();
    }
  }

  Task<void> publish_lines(Input& input) {
    std::string text;  // begins with the first line that has not been taken
    while (co_await read_more(input, text)) {
      std::size_t at = 0;
      for (std::size_t end = text.find('\n'); end != std::string::npos && !is_over();
           end = text.find('\n', at)) {
        co_await take_line(text.substr(at, end - at));
        at = end + 1;
      }
      text.erase(0, at);
      if (text.size() > kInputBytesMax) {
        co_await flush();
        fail(fmt::format("line {} is longer than {} bytes", line_ + 1, kInputBytesMax));
      }
      co_await flush();  // more may be long in coming
    }
    if (!text.empty() && !is_over()) {
      co_await take_line(std::move(text));
      co_await flush();
    }
  }

  // Appends what has come to `text`. Returns false at the end, and where nothing more is wanted.
  Task<bool> read_more(Input& input, std::string& text) {
    if (is_over()) {
      co_return false;
    }
    const auto bytes = co_await input.read_some(buffer_);
    if (!bytes) {
      fail("standard input: " + bytes.error().message());
      co_return false;
    }
    text.append(buffer_.data(), *bytes);
    co_return *bytes > 0;
  }

  Task<void> take_line(std::string line) {
    ++line_;
    if (line.find_first_not_of(" \t\r") == std::string::npos) {
      co_return;
    }
    auto publication = parse_publication(line, plan_.publication);
    if (!publication) {
      co_await flush();  // what stands before it is published, as if the rest were not there
      fail(fmt::format("line {}: {}", line_, publication.error().message));
      co_return;
    }
    add(*std::move(publication));
    if (forms_.size() == Publisher::kBatchMax || forms_bytes_ >= kBatchBytesMax) {
      co_await flush();
    }
  }

  void add(Publication publication) {
    if (publication.id.empty()) {
      publication.id = process_.make_id();
    }
    forms_.push_back(form_of(publication));
    forms_bytes_ += forms_.back().size();
    lines_.push_back(line_);
  }

  // Publishes what was added.
  Task<void> flush() {
    if (forms_.empty() || is_over()) {
      co_return;
    }
    forms_bytes_ = 0;
    sent_ += forms_.size();
    const auto failure = co_await publisher_.publish(std::exchange(forms_, {}));
    write_ids();
    lines_.clear();
    if (failure) {
      fail(failure_text(*failure, plan_.url) + advice(*failure, plan_.url),
           failure_status(*failure));
    }
  }

  void write_ids() {
    const error_code error = ids_.empty() ? error_code() : process_.out.write(ids_);
    ids_.clear();
    if (error && !is_over()) {
      status_ = output_status(process_.err, kName, error);
    }
  }

  // Where lines end before all of them are published, whoever gave them wants to know how far.
  void say_what_became_of_them() {
    if (!has_failed_) {
      return;
    }
    const std::uint64_t unanswered = sent_ - published_ - refused_;
    say(process_.err, kName,
        fmt::format("events published: {}{}", published_,
                    unanswered == 0 ? "" : fmt::format("; without an answer: {}", unanswered)));
  }

  void fail(const std::string& message, int status = kFailed) {
    has_failed_ = true;
    say(process_.err, kName, message);
    status_ = is_over() ? status_ : status;
  }

  std::string line_prefix(std::size_t index) const {
    return plan_.ndjson ? fmt::format("line {}: ", lines_[index]) : "";
  }

  Process& process_;
  Plan plan_;
  int status_ = kOk;  // of the first thing that went wrong

  std::array<char, std::size_t{1} << 16> buffer_ = {};
  std::uint64_t line_ = 0;  // the last one that was taken
  std::vector<std::string> forms_;
  std::size_t forms_bytes_ = 0;
  std::vector<std::uint64_t> lines_;  // where each of them stands

  bool has_failed_ = false;  // and said why
  std::uint64_t sent_ = 0;   // events, as far as there was anybody to send them to
  std::uint64_t published_ = 0;
  std::uint64_t refused_ = 0;

  std::string ids_;  // published, but not yet printed
  Publisher publisher_;
};

}  // namespace

Task<int> pub(Process& process, std::vector<std::string> arguments) {
  auto plan = read_plan(process, kName, arguments, read_options, make_plan);
  if (!plan) {
    co_return plan.error();
  }
  Pub command(process, *std::move(plan));
  co_return co_await command.run();
}

}  // namespace vrelo::cli
