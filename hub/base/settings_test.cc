// SPDX-License-Identifier: Apache-2.0
#include "hub/base/settings.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/base/settings_table.h"

namespace vrelo::base {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Variables = std::vector<std::pair<std::string, std::string>>;

// A file that is there for one test.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view text)
      : path_(testing::TempDir() + "vrelo_settings_" + std::to_string(::getpid()) + ".toml") {
    write(text);
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }

  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(std::string_view text) const { std::ofstream(path_, std::ios::binary) << text; }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

std::string read_document(const std::string& name) {
  std::ifstream file(std::string(VRELO_DOCS) + "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Parsed<Settings> load(std::vector<std::string> flags, Variables variables = {}) {
  return load_settings({.flags = std::move(flags), .variables = std::move(variables)});
}

// What load() gives, where it is expected to succeed.
Settings loaded(std::vector<std::string> flags, Variables variables = {}) {
  const auto settings = load(std::move(flags), std::move(variables));
  EXPECT_TRUE(settings) << settings.error().message;
  return settings ? *settings : Settings();
}

std::string fault(std::vector<std::string> flags, Variables variables = {}) {
  const auto settings = load(std::move(flags), std::move(variables));
  EXPECT_FALSE(settings);
  return settings ? "" : settings.error().message;
}

TEST(Settings, are_the_defaults_without_any_source) {
  const Settings settings = loaded({});
  EXPECT_EQ(settings, Settings());
  EXPECT_EQ(format_endpoint(settings.listen), "127.0.0.1:3000");
  EXPECT_EQ(settings.log.file, "./vrelo.db");
  EXPECT_EQ(settings.history_bytes, 1'073'741'824U);
  EXPECT_EQ(settings.history_age, hours(24));
  EXPECT_EQ(settings.history_events, 0U);
  EXPECT_EQ(settings.memory_log_bytes, 67'108'864U);
  EXPECT_EQ(settings.window_bytes, 67'108'864U);
  EXPECT_EQ(settings.body_bytes, 1'048'576U);
  EXPECT_EQ(settings.header_bytes, 16'384U);
  EXPECT_EQ(settings.request_time, seconds(10));
  EXPECT_EQ(settings.topics, 100U);
  EXPECT_EQ(settings.topic_bytes, 4'096U);
  EXPECT_EQ(settings.selectors, 100U);
  EXPECT_EQ(settings.selector_bytes, 4'096U);
  EXPECT_EQ(settings.connections_per_address, 0U);
  EXPECT_EQ(settings.heartbeat, seconds(15));
  EXPECT_EQ(settings.retry, seconds(3));
  EXPECT_EQ(settings.drain, seconds(20));
}

TEST(Settings, have_a_default_within_the_range_that_reads_back_for_each_row) {
  std::set<std::string_view> names;
  for (const SettingRow& row : setting_rows()) {
    SCOPED_TRACE(row.name);
    EXPECT_TRUE(names.insert(row.name).second);
    EXPECT_THAT(row.help, testing::EndsWith("."));
    Settings settings;
    const auto done = set(row, get(row, Settings()), settings);
    EXPECT_TRUE(row.name == "config" || done);
    EXPECT_EQ(settings, Settings());
  }
}

TEST(Settings, are_read_from_flags) {
  const Settings settings = loaded({"--listen", "[::1]:0", "--log=memory:", "--history-age", "7d",
                                    "--memory-log-bytes", "128 MiB", "--open", "--shards", "2",
                                    "--admin", "off", "--hello", "never", "--log-level", "error"});
  EXPECT_EQ(format_endpoint(settings.listen), "[::1]:0");
  EXPECT_EQ(settings.log.kind, LogPlace::Kind::kMemory);
  EXPECT_EQ(settings.history_age, hours(24 * 7));
  EXPECT_EQ(settings.memory_log_bytes, 134'217'728U);
  EXPECT_TRUE(settings.open);
  EXPECT_EQ(settings.shards, 2U);
  EXPECT_EQ(settings.admin.kind, AdminPlace::Kind::kOff);
  EXPECT_EQ(settings.hello, HelloMode::kNever);
  EXPECT_EQ(settings.log_level, LogLevel::kError);
}

TEST(Settings, take_a_switch_from_a_flag_with_or_without_a_value) {
  EXPECT_TRUE(loaded({"--open"}).open);
  EXPECT_TRUE(loaded({"--open=true"}).open);
  EXPECT_FALSE(loaded({"--open=false"}, {{"VRELO_OPEN", "true"}}).open);
  EXPECT_THAT(fault({"--open=maybe"}), HasSubstr("--open"));
}

TEST(Settings, take_flags_before_the_environment_and_that_before_the_file) {
  const TemporaryFile file("heartbeat = \"1min\"\nretry = 4\ndrain = \"1s\"\n");
  const Variables variables = {{"VRELO_RETRY", "5s"}, {"VRELO_DRAIN", "2s"}, {"HOME", "/"}};
  const Settings settings = loaded({"--config", file.path(), "--drain", "3s"}, variables);
  EXPECT_EQ(settings.heartbeat, seconds(60));
  EXPECT_EQ(settings.retry, seconds(5));
  EXPECT_EQ(settings.drain, seconds(3));
}

TEST(Settings, take_the_file_that_the_flag_names_before_that_of_the_environment) {
  const TemporaryFile file("retry = \"4s\"\n");
  EXPECT_EQ(loaded({}, {{"VRELO_CONFIG", file.path()}}).retry, seconds(4));
  EXPECT_EQ(loaded({"--config", file.path()}, {{"VRELO_CONFIG", "/nowhere"}}).retry, seconds(4));
}

TEST(Settings, read_each_kind_of_toml_value) {
  const TemporaryFile file(
      "listen = \"127.0.0.1:0\"\nopen = true\nshards = 3\nwindow_bytes = 1048576\n"
      "history_age = 60\nallowed_origins = [\"https://a.example\", \"http://b.example:8080\"]\n"
      "allowed_hosts = \"hub.example\"\n");
  const Settings settings = loaded({"--config", file.path()});
  EXPECT_TRUE(settings.open);
  EXPECT_EQ(settings.shards, 3U);
  EXPECT_EQ(settings.window_bytes, 1'048'576U);
  EXPECT_EQ(settings.history_age, seconds(60));
  EXPECT_THAT(settings.allowed_origins, ElementsAre("https://a.example", "http://b.example:8080"));
  EXPECT_THAT(settings.allowed_hosts, ElementsAre("hub.example"));
}

TEST(Settings, read_lists_with_commas_or_repeated_flags) {
  EXPECT_THAT(loaded({"--allowed-hosts", "a.example, B.example"}).allowed_hosts,
              ElementsAre("a.example", "b.example"));
  EXPECT_THAT(
      loaded({"--allowed-hosts", "a.example", "--allowed-hosts", "b.example"}).allowed_hosts,
      ElementsAre("a.example", "b.example"));
  EXPECT_THAT(loaded({"--allowed-hosts", "[::1]"}).allowed_hosts, ElementsAre("[::1]"));
  EXPECT_THAT(loaded({"--allowed-hosts", ""}, {{"VRELO_ALLOWED_HOSTS", "a"}}).allowed_hosts,
              IsEmpty());
}

TEST(Settings, keep_origins_as_browsers_write_them) {
  EXPECT_THAT(loaded({"--allowed-origins",
                      "HTTPS://A.example:443,http://b.example:80,http://c.example:443"})
                  .allowed_origins,
              ElementsAre("https://a.example", "http://b.example", "http://c.example:443"));
  for (const char* const origin : {"*", "null", "a.example", "https://", "https://a.example/",
                                   "https://a.example/path", "https://a.example?x", "://a"}) {
    SCOPED_TRACE(origin);
    EXPECT_THAT(fault({"--allowed-origins", origin}), HasSubstr("is not an origin"));
  }
}

TEST(Settings, take_a_path_that_nothing_on_the_way_changes) {
  EXPECT_EQ(loaded({}).path, "/.well-known/mercure");
  for (const char* const path : {"/a", "/rt/hub", "/A-b._~/0", "/admins"}) {
    EXPECT_EQ(loaded({"--path", path}).path, path);
  }
  for (const char* const path :
       {"", "/", "a", "a/b", "/a/", "//a", "/a//b", "/./a", "/a/..", "/a b", "/a%20b", "/a?b",
        "/a#b", "/\xC3\xA9", "https://a.example/b"}) {
    SCOPED_TRACE(path);
    EXPECT_THAT(fault({"--path", path}), HasSubstr("is not a path"));
  }
  for (const char* const path : {"/metrics", "/admin", "/admin/x", "/healthz", "/readyz"}) {
    EXPECT_THAT(fault({"--path", path}), HasSubstr("for its administrator"));
  }
  EXPECT_THAT(fault({"--path", ("/" + std::string(256, 'a')).c_str()}), HasSubstr("256 bytes"));
}

TEST(Settings, name_an_unknown_setting_and_suggest_the_nearest) {
  const TemporaryFile file("listen = \"127.0.0.1:0\"\n\nhart_beat = 3\n");
  EXPECT_EQ(fault({"--shrads", "2"}), "--shrads: there is no such flag; did you mean --shards?");
  EXPECT_EQ(fault({"--shrads=2"}), "--shrads: there is no such flag; did you mean --shards?");
  EXPECT_EQ(fault({"--history_age=2"}),
            "--history_age: there is no such flag; did you mean --history-age?");
  EXPECT_EQ(fault({"--quux"}), "--quux: there is no such flag; see vrelo serve --help");
  EXPECT_EQ(fault({"hub.toml"}), "hub.toml: not expected here; see vrelo serve --help");
  EXPECT_EQ(fault({"127.0.0.1:80"}),
            "127.0.0.1:80: not expected here; did you mean --listen 127.0.0.1:80?");
  EXPECT_EQ(fault({}, {{"VRELO_HEARTBEET", "3"}}),
            "VRELO_HEARTBEET: there is no such setting; did you mean VRELO_HEARTBEAT?");
  EXPECT_EQ(fault({"--config", file.path()}),
            file.path() + ":3: hart_beat: there is no such setting; did you mean heartbeat?");
}

TEST(Settings, have_issuers_in_the_file) {
  const auto settings = parse_settings(R"(
audiences = ["https://hub.example/.well-known/mercure"]
[[issuers]]
name = "https://app.example"
keys = ["keys/app.jwk", "/etc/other.pem"]
roles = ["publish"]
algorithms = ["ES256"]
[[issuers]]
keys = ["former.jwk"]
mercure_claim = true
tickets_per_minute = 6000
tickets_unused = 1000
[[issuers]]
name = "https://idp.example"
jwks_url = "https://idp.example/jwks?tenant=7"
jwks_ca = "ca.pem"
)",
                                       "etc/hub.toml", Settings());
  ASSERT_TRUE(settings) << settings.error().message;
  const std::vector<IssuerSettings> expected = {{.name = "https://app.example",
                                                 .keys = {"etc/keys/app.jwk", "/etc/other.pem"},
                                                 .roles = {"publish"},
                                                 .algorithms = {"ES256"}},
                                                {.keys = {"etc/former.jwk"},
                                                 .mercure_claim = true,
                                                 .tickets_per_minute = 6000,
                                                 .tickets_unused = 1000},
                                                {.name = "https://idp.example",
                                                 .jwks_url = "https://idp.example/jwks?tenant=7",
                                                 .jwks_ca = "etc/ca.pem"}};
  EXPECT_EQ(settings->issuers, expected);

  Settings changed = *settings;
  changed.issuers.pop_back();
  EXPECT_THAT(change_settings(*settings, changed).changed, ElementsAre("issuers"));
}

TEST(Settings, name_the_place_of_a_fault_in_an_issuer) {
  const struct {
    std::string_view toml;
    std::string_view message;
  } cases[] = {
      {"issuers = 3", "hub.toml:1: issuers is not a list of tables"},
      {"issuers = [3]", "hub.toml:1: issuers[0] is not a table"},
      {"[[issuers]]\nname = \"a\"", "hub.toml:1: issuers[0] has no keys"},
      {"[[issuers]]\nkeys = [\"k\"]", "hub.toml:1: issuers[0] has no name"},
      {"[[issuers]]\nkey = \"k\"",
       "hub.toml:2: issuers[0].key: there is no such setting; did you mean keys?"},
      {"[[issuers]]\nallowed_hosts = []",
       "hub.toml:2: issuers[0].allowed_hosts: is a setting of the hub; it stands above the first "
       "[[issuers]]"},
      {"[[issuers]]\nkeys = \"k\"", "hub.toml:2: issuers[0].keys is not a list of texts"},
      {"[[issuers]]\nname = \"\"", "hub.toml:2: issuers[0].name is not a text"},
      {"[[issuers]]\njwks_url = 1", "hub.toml:2: issuers[0].jwks_url is not a text"},
      {"[[issuers]]\njwks_url = \"http://a/\"",
       "hub.toml:2: issuers[0].jwks_url is not an https URL"},
      {"[[issuers]]\njwks_url = \"https://u:p@a/\"",
       "hub.toml:2: issuers[0].jwks_url has a user or a password"},
      {"[[issuers]]\nkeys = [\"k\"]\njwks_ca = \"c\"",
       "hub.toml:1: issuers[0].jwks_ca is for a jwks_url, and there is none"},
      {"[[issuers]]\nmercure_claim = 1",
       "hub.toml:2: issuers[0].mercure_claim is neither true nor false"},
      {"[[issuers]]\nstreams = \"2\"",
       "hub.toml:2: issuers[0].streams is not a number from 0, for no limit, to 1000000"},
      {"[[issuers]]\nstreams = -1", "hub.toml:2: issuers[0].streams is not a number"},
      {"[[issuers]]\npublishes_per_second = 1000001",
       "hub.toml:2: issuers[0].publishes_per_second is not a number"},
      {"[[issuers]]\ntickets_unused = 0",
       "hub.toml:2: issuers[0].tickets_unused is not a number from 1 to 1000000"},
      {"[[issuers]]\npublishes_per_second = 0.5",
       "hub.toml:2: issuers[0].publishes_per_second is not a number"},
  };
  for (const auto& c : cases) {
    const auto settings = parse_settings(c.toml, "hub.toml", Settings());
    ASSERT_FALSE(settings) << c.toml;
    EXPECT_THAT(settings.error().message, HasSubstr(c.message));
  }
}

TEST(Settings, let_others_reach_a_hub_that_needs_tokens) {
  const std::string_view issuer = "[[issuers]]\nname = \"a\"\nkeys = [\"k\"]\n";
  const TemporaryFile file(fmt::format("audiences = [\"b\"]\n{}", issuer));
  EXPECT_TRUE(load({"--config", file.path(), "--listen", "0.0.0.0:0"}));
  EXPECT_THAT(fault({"--config", file.path(), "--open"}), HasSubstr("open = true is for a hub"));
  file.write(issuer);
  EXPECT_THAT(fault({"--config", file.path()}), HasSubstr("audiences: has to say"));
}

TEST(Settings, name_the_place_of_a_bad_value) {
  const struct {
    const char* what;
    std::vector<std::string> flags;
    Variables variables;
    std::string_view message;
  } cases[] = {
      {"a flag", {"--heartbeat", "soon"}, {}, "--heartbeat: \"soon\" is not a duration"},
      {"a variable", {}, {{"VRELO_SHARDS", "x"}}, "VRELO_SHARDS: \"x\" is not a whole number"},
      {"too small", {"--heartbeat", "10ms"}, {}, "\"10ms\" is out of range: 1s to 1h"},
      {"too large", {"--body-bytes", "2 GiB"}, {}, "\"2 GiB\" is out of range: 1 KiB to 1 GiB"},
      {"too long for the clocks of issuers",
       {"--clock-leeway", "61s"},
       {},
       "\"61s\" is out of range: 0 to 1min"},
      {"no choice", {"--hello", "maybe"}, {}, "\"maybe\" is none of: auto, always, never"},
      {"no log", {"--log", "vrelo.db"}, {}, "is neither \"memory:\" nor \"sqlite:FILE\""},
      {"a log without a file", {"--log", "sqlite:"}, {}, "is neither"},
      {"no admin", {"--admin", "on"}, {}, "--admin: \"on\" is not ADDRESS:PORT"},
      {"a host with a port", {"--allowed-hosts", "a:80"}, {}, "\"a:80\", which is not a host"},
      {"no value", {"--shards"}, {}, "--shards"},
      {"twice", {"--shards", "1", "--shards", "2"}, {}, "--shards"},
      {"no file",
       {"--config", "/nowhere.toml"},
       {},
       "--config: /nowhere.toml: there is no such file"},
      {"a folder", {"--config", "/"}, {}, "/: is not a file"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_THAT(fault(c.flags, c.variables), HasSubstr(c.message));
  }
}

TEST(Settings, name_the_line_of_a_bad_file) {
  const struct {
    const char* what;
    std::string_view toml;
    std::string_view message;
  } cases[] = {
      {"no TOML", "retry = 4\nretry =\n", "hub.toml:2: "},
      {"a key twice", "retry = 4\nretry = 5\n", "hub.toml:2: "},
      {"a value", "\nretry = \"soon\"\n", "hub.toml:2: retry: \"soon\" is not a duration"},
      {"a negative number", "shards = -1\n", "hub.toml:1: shards: \"-1\" is not a whole number"},
      {"a fraction", "retry = 1.5\n", "hub.toml:1: retry: is not a text, a whole number"},
      {"a number for a switch", "open = 1\n", "hub.toml:1: open: \"1\" is neither"},
      {"a list for one", "retry = [1]\n", "hub.toml:1: retry: is not a text"},
      {"a list of numbers", "allowed_hosts = [1]\n", "hub.toml:1: allowed_hosts: is not a list"},
      {"a table", "[retry]\n", "hub.toml:1: retry: is not a text"},
      {"an unknown table", "[hub]\nretry = 3\n", "hub.toml:1: hub: there is no such setting"},
      {"the file itself", "config = \"a\"\n", "hub.toml:1: config: may not stand in the file"},
      {"not UTF-8", "log = \"memory:\xff\"\n", "hub.toml:1: "},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const auto settings = parse_settings(c.toml, "hub.toml", Settings());
    ASSERT_FALSE(settings);
    EXPECT_THAT(settings.error().message, testing::StartsWith(c.message));
  }
}

TEST(Settings, speak_of_quotation_marks_where_they_are_missing) {
  for (const std::string_view bare :
       {"listen = 127.0.0.1:3000", "log = memory:", "log = sqlite:a", "history_age = 24h",
        "history_bytes = 1GiB", "drain = 5s", "log_level = info", "log_level = warning",
        "path = /a", "path = true1", "allowed_hosts = [a.example]"}) {
    const auto settings = parse_settings(bare, "hub.toml", Settings());
    ASSERT_FALSE(settings) << bare;
    EXPECT_THAT(settings.error().message,
                testing::EndsWith("; texts stand in quotation marks, durations and sizes too"));
  }
  for (const std::string_view other :
       {"retry = 4\nretry = 5", "allowed_hosts = [\"a\"", "[[issuers]\n", "log = \"a\n",
        "log \"a\"", "log =\n", "log = \"\\q\"", "log = \"a\"b", "shards = 08",
        "shards = 99999999999999999999"}) {
    const auto settings = parse_settings(other, "hub.toml", Settings());
    ASSERT_FALSE(settings) << other;
    EXPECT_THAT(settings.error().message, testing::Not(HasSubstr("quotation marks")));
  }
}

TEST(Settings, refuse_a_file_beyond_one_mebibyte) {
  const TemporaryFile file(std::string((1 << 20) + 1, '#'));
  EXPECT_EQ(fault({"--config", file.path()}),
            "--config: " + file.path() + ": is larger than 1 MiB");
  file.write(std::string(1 << 20, '#'));
  EXPECT_EQ(loaded({"--config", file.path()}).config, file.path());
}

TEST(Settings, serve_beyond_loopback_only_when_open) {
  EXPECT_THAT(fault({"--listen", "0.0.0.0:3000"}), HasSubstr("listen: other machines can reach"));
  EXPECT_THAT(fault({"--listen", "[::]:3000"}), HasSubstr("set open = true"));
  EXPECT_THAT(fault({"--admin", "192.0.2.1:3000"}), HasSubstr("admin: other machines"));
  const Settings settings = loaded({"--listen", "0.0.0.0:3000", "--open"});
  EXPECT_THAT(warnings(settings), ElementsAre(HasSubstr("whoever reaches 0.0.0.0:3000")));
}

TEST(Settings, warn_of_nothing_on_loopback) {
  EXPECT_THAT(warnings(loaded({})), IsEmpty());
  EXPECT_THAT(warnings(loaded({"--open", "--listen", "127.0.0.2:0"})), IsEmpty());
}

TEST(Settings, are_local_only_where_both_listeners_are) {
  EXPECT_TRUE(is_local_only(loaded({"--listen", "[::1]:0"})));
  EXPECT_TRUE(is_local_only(loaded({"--admin", "127.0.0.1:0"})));
  EXPECT_TRUE(is_local_only(loaded({"--admin", "off"})));
  EXPECT_FALSE(is_local_only(loaded({"--listen", "0.0.0.0:3000", "--open"})));
  EXPECT_FALSE(is_local_only(loaded({"--admin", "0.0.0.0:3000", "--open"})));
}

TEST(Settings, warn_of_an_open_administration) {
  EXPECT_THAT(warnings(loaded({"--open", "--admin", "0.0.0.0:9000"})),
              ElementsAre(HasSubstr("may administer")));
}

TEST(Settings, change_at_run_time_but_for_what_needs_a_restart) {
  const Settings running = loaded({});
  const SettingsChange change =
      change_settings(running, loaded({"--heartbeat", "20s", "--listen", "127.0.0.1:1", "--log",
                                       "memory:", "--allowed-origins", "https://a.example"}));
  Settings expected = running;
  expected.heartbeat = seconds(20);
  expected.allowed_origins = {"https://a.example"};
  EXPECT_EQ(change.settings, expected);
  EXPECT_THAT(change.changed, ElementsAre("heartbeat = 20s (was 15s)",
                                          "allowed_origins = https://a.example (was )"));
  EXPECT_THAT(change.needs_restart, ElementsAre("listen = 127.0.0.1:1 (was 127.0.0.1:3000)",
                                                "log = memory: (was sqlite:./vrelo.db)"));
}

TEST(Settings, ask_for_more_files_where_there_would_be_hardly_a_connection) {
  EXPECT_EQ(refuse_files_max(Settings(), 272), std::nullopt);
  EXPECT_EQ(refuse_files_max(loaded({"--connections", "5"}), 100), std::nullopt);
  ASSERT_TRUE(refuse_files_max(Settings(), 271));
  EXPECT_EQ(
      refuse_files_max(Settings(), 271)->message,
      "connections: the process may have 271 files open (ulimit -n, or LimitNOFILE= in systemd), "
      "and 256 of them are kept for other things: allow at least 272, or set connections");
}

TEST(Settings, leave_256_files_for_other_things_than_connections) {
  EXPECT_EQ(connections_max(Settings(), 1024), 768U);
  EXPECT_EQ(connections_max(Settings(), 257), 1U);
  EXPECT_EQ(connections_max(Settings(), 100), 1U);
  EXPECT_EQ(connections_max(loaded({"--connections", "5000"}), 1024), 5000U);
}

TEST(Settings, read_the_environment_of_a_process) {
  const char* const environment[] = {"A=1", "EMPTY=", "B=x=y", "ODD", nullptr};
  EXPECT_EQ(read_environment(environment),
            (Variables{{"A", "1"}, {"EMPTY", ""}, {"B", "x=y"}, {"ODD", ""}}));
}

TEST(Settings, are_all_in_the_help) {
  EXPECT_TRUE(asks_for_help(std::vector<std::string>{"--open", "--help"}));
  EXPECT_TRUE(asks_for_help(std::vector<std::string>{"-h"}));
  EXPECT_FALSE(asks_for_help(std::vector<std::string>{"--open"}));
  const std::string help = settings_help();
  for (const SettingRow& row : setting_rows()) {
    EXPECT_THAT(help, HasSubstr(flag_name(row)));
  }
}

TEST(Settings, have_their_defaults_in_the_example_file) {
  const std::string example = read_document("vrelo.toml");
  const auto commented = parse_settings(example, "vrelo.toml", Settings());
  ASSERT_TRUE(commented) << commented.error().message;
  EXPECT_EQ(*commented, Settings());

  // With the signs taken off, every line still holds, and says what is the default.
  std::string settings_alone;
  std::size_t count = 0;
  std::istringstream lines(example);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# ") && line.find(" = ") != std::string::npos) {
      settings_alone += line.substr(2) + "\n";
      ++count;
    }
  }
  EXPECT_EQ(count, setting_rows().size() - 1);  // all but `config`
  Settings other;
  other.heartbeat = seconds(99);
  other.connections = 99;
  const auto uncommented = parse_settings(settings_alone, "vrelo.toml", other);
  ASSERT_TRUE(uncommented) << uncommented.error().message;
  EXPECT_EQ(*uncommented, Settings());
}

TEST(Settings, are_what_the_page_in_the_documentation_says) {
  const std::string made = testing::TempDir() + "vrelo_settings.md";
  std::ofstream(made, std::ios::binary) << settings_page();
  EXPECT_EQ(read_document("settings.md"), settings_page())
      << "the page as it should be is in " << made;
}

}  // namespace
}  // namespace vrelo::base
