// SPDX-License-Identifier: Apache-2.0
//
// The binary. It alone sees every room; commands other than `serve` and `log` are those of cli/.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "cli/commands.h"
#include "cli/help.h"
#include "hub/api/node.h"
#include "hub/auth/sqlite/kept.h"
#include "hub/base/allocator.h"
#include "hub/base/clock.h"
#include "hub/base/files_limit.h"
#include "hub/base/logging.h"
#include "hub/base/program.h"
#include "hub/base/secret_words.h"
#include "hub/base/settings.h"
#include "hub/base/standard_streams.h"
#include "hub/listeners.h"
#include "hub/log/memory/memory_store.h"
#include "hub/log/sqlite/open_failure.h"
#include "hub/log/sqlite/sqlite_store.h"
#include "hub/role.h"
#include "hub/supervisor.h"
#include "hub/trust.h"

namespace vrelo {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr std::string_view kServe = "vrelo serve";
constexpr std::string_view kLog = "vrelo log";

constexpr std::string_view kServeExamples = R"(
Examples:
  vrelo serve                                     # http://127.0.0.1:3000, events in ./vrelo.db
  vrelo serve --listen 127.0.0.1:0 --log memory:  # any port that is free, events in memory
  vrelo serve --history-age 7d --history-bytes 10GiB
  vrelo serve --config vrelo.toml                 # SIGHUP reads it again, SIGTERM drains and ends
  vrelo serve --supervise                         # starts again if it dies; SIGUSR2 upgrades it
)";

constexpr std::string_view kLogHelp =
    R"(vrelo log: looks after the file of an SQLite log that no hub has open.

Usage: vrelo log new-epoch FILE

  new-epoch FILE   Begin a new epoch: every reader that comes back is told of a gap. For one who put
                   back FILE with its FILE.epoch and FILE.end, which the hub cannot notice.

Examples:
  vrelo log new-epoch vrelo.db
)";

int fail(int status, std::string_view command, std::string_view message) {
  std::fputs(fmt::format("{}: {}\n", command, base::without_secrets(message)).c_str(), stderr);
  return status;
}

// Prints what a command is for; returns what to exit with.
int print(std::string_view command, std::string_view text) {
  if (const auto error = base::write_output(text)) {
    return fail(kFailed, command, "standard output: " + error.message());
  }
  return kDone;
}

log::Retention retention(const base::Settings& settings) {
  return {.bytes_max = settings.log.kind == base::LogPlace::Kind::kMemory
                           ? settings.memory_log_bytes
                           : settings.history_bytes,
          .records_max = settings.history_events,
          .age_max = std::chrono::ceil<std::chrono::seconds>(settings.history_age)};
}

boost::system::result<std::unique_ptr<log::Store>> open_store(const base::Settings& settings,
                                                              const base::Clock& clock,
                                                              base::Logger& logger) {
  if (settings.log.kind == base::LogPlace::Kind::kMemory) {
    return std::make_unique<log::memory::MemoryStore>(retention(settings), clock);
  }
  auto opened = log::sqlite::SqliteStore::open(
      {.file = settings.log.file,
       .retention = retention(settings),
       .report = [&logger](std::string_view line) { logger.error("log: {}", line); }},
      clock);
  if (!opened) {
    return opened.error();
  }
  return *std::move(opened);
}

// A hub that runs: what signals do to it.
class Server {
 public:
  Server(base::SettingSources sources,
         base::Settings settings,
         base::Logger& logger,
         log::Store& store,
         bool is_worker)
      : sources_(std::move(sources)),
        settings_(std::move(settings)),
        logger_(logger),
        store_(store),
        is_worker_(is_worker),
        signals_(loop_, SIGTERM, SIGINT, SIGHUP) {
    if (is_worker_) {
      signals_.add(kAtOnceSignal);
      signals_.add(kReplacedSignal);
    }
  }

  // Returns when the hub has been told to end and has done so. Errors: it could not start.
  base::Parsed<void> run(const base::Clock& clock,
                         Listeners listeners,
                         TrustPtr trust,
                         std::size_t files_max) {
    local_only_ = listeners.is_local_only();
    auto kept = auth::sqlite::keep_beside(settings_.log.file);  // "": the log is in memory
    if (!kept) {
      return kept.error();
    }
    const auto endpoint = listeners.main.front().endpoint();
    const auto admin = listeners.admin ? std::optional(listeners.admin->endpoint()) : std::nullopt;
    std::random_device random;
    try {
      node_.emplace(api::NodeParts{.clock = clock,
                                   .logger = logger_,
                                   .store = store_,
                                   .listeners = std::move(listeners.main),
                                   .admin_listener = std::move(listeners.admin),
                                   .listeners_stay = listeners.stay,
                                   .trust = std::move(trust),
                                   .revocations = std::move(kept->revocations.revocations),
                                   .keep_revocation = std::move(kept->revocations.keep),
                                   .tickets = std::move(kept->tickets),
                                   .files_max = files_max,
                                   .seed = (std::uint64_t{random()} << 32) | random()},
                    settings_, loop_.get_executor());
    } catch (const boost::system::system_error& error) {
      // Asio's loops say so that there is no descriptor for one more of them.
      return base::Fault{fmt::format("cannot start {} shards: {}", api::shard_count(settings_),
                                     error.code().message())};
    }
    wait_for_signal();
    if (auto started = node_->start(); !started) {
      node_.reset();
      return started.error();
    }

    std::string addresses =
        fmt::format("listening on http://{}\n", base::format_endpoint(endpoint));
    if (admin) {
      addresses += fmt::format("administration on http://{}\n", base::format_endpoint(*admin));
    }
    if (const auto error = base::write_output(addresses)) {
      node_.reset();  // whoever waits for the addresses would wait for ever
      return base::Fault{"standard output: " + error.message()};
    }
    logger_.info("started on {}", base::format_endpoint(endpoint));
    for (const std::string& sentence : base::warnings(settings_)) {
      logger_.warning("{}", sentence);
    }
    loop_.run();
    node_.reset();
    return {};
  }

 private:
  void wait_for_signal() {
    signals_.async_wait([this](boost::system::error_code error, int signal) {
      if (error) {
        return;
      }
      if (signal == SIGHUP) {
        reload();
      } else if (signal == kAtOnceSignal || (drain_ && !is_worker_)) {
        logger_.info("told again to end: closing what is left");
        loop_.stop();
        return;
      } else if (!drain_ || (drain_ == api::Publishes::kTaken && signal != kReplacedSignal)) {
        drain(signal);
      }  // else a worker has been told twice the first time
      wait_for_signal();
    });
  }

  void drain(int signal) {
    const bool is_replaced = signal == kReplacedSignal;
    logger_.info("{}: closing streams over {}; {}", base::signal_name(signal),
                 base::format_duration(settings_.drain),
                 is_replaced ? "publishes are taken meanwhile" : "once more ends at once");
    drain_ = is_replaced ? api::Publishes::kTaken : api::Publishes::kRefused;
    node_->drain(*drain_, [this] { loop_.stop(); });
  }

  void reload() {
    auto wanted = base::load_settings(sources_);
    if (!wanted) {
      logger_.error("SIGHUP: settings stay as they were: {}", wanted.error().message);
      return;
    }
    base::SettingsChange change = base::change_settings(settings_, *std::move(wanted));
    auto trust = read_trust(change.settings, local_only_, logger_);
    if (!trust) {
      logger_.error("SIGHUP: settings stay as they were: {}", trust.error().message);
      return;
    }
    for (const std::string& line : change.changed) {
      logger_.info("SIGHUP: {}", line);
    }
    for (const std::string& line : change.needs_restart) {
      logger_.warning("SIGHUP: {} needs a restart", line);
    }
    settings_ = std::move(change.settings);
    logger_.set_level(settings_.log_level);
    store_.set_retention(retention(settings_));
    node_->reload(settings_, *std::move(trust));
    logger_.info("SIGHUP: settings read, {} changed", change.changed.size());
  }

  const base::SettingSources sources_;
  base::Settings settings_;
  bool local_only_ = true;
  base::Logger& logger_;
  log::Store& store_;
  const bool is_worker_;  // of a supervisor
  boost::asio::io_context loop_{1};
  boost::asio::signal_set signals_;
  std::optional<api::Publishes> drain_;  // nullopt: none is under way
  std::optional<api::Node> node_;
};

// For a process about to exit: whoever tells it to end once more gets what it exits with anyway.
// Order: when no other thread takes signals.
void ignore_signals() {
  sigset_t signals;
  sigfillset(&signals);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

int run_supervisor(SupervisorParts parts) {
  const auto ended = supervise(std::move(parts));
  return ended ? *ended : fail(kFailed, kServe, ended.error().message);
}

int run_hub(const base::Clock& clock,
            base::SettingSources sources,
            base::Settings settings,
            Listeners listeners,
            std::size_t files_max,
            bool is_worker) {
  base::set_up_allocator();
  base::Logger logger(clock, settings.log_level);
  auto trust = read_trust(settings, listeners.is_local_only(), logger);
  if (!trust) {
    return fail(kUsage, kServe, trust.error().message);
  }
  auto store = open_store(settings, clock, logger);
  if (!store) {
    return fail(kFailed, kServe,
                "log " + log::sqlite::open_failure(settings.log.file, store.error()));
  }
  Server server(std::move(sources), std::move(settings), logger, **store, is_worker);
  const auto served = server.run(clock, std::move(listeners), *std::move(trust), files_max);
  (*store)->close();  // while the server still takes the signals: a checkpoint may last
  ignore_signals();
  if (served) {
    logger.info("stopped");
  }
  return served ? kDone : fail(kFailed, kServe, served.error().message);
}

int serve(std::span<const std::string> arguments) {
  if (base::asks_for_help(arguments)) {
    return print(kServe, base::settings_help() + std::string(kServeExamples));
  }
  base::SettingSources sources{.flags = {arguments.begin(), arguments.end()},
                               .variables = base::read_environment(environ)};
  const auto role = take_role(sources.variables);
  if (!role) {
    return fail(kUsage, kServe, role.error().message);
  }
  auto settings = base::load_settings(sources);
  if (!settings) {
    return fail(kUsage, kServe, settings.error().message);
  }
  const bool is_worker = role->kind == Role::Kind::kWorker;
  if (is_worker) {
    if (const auto followed = follow_supervisor(*role); !followed) {
      return fail(kFailed, kServe, followed.error().message);
    }
  } else if (role->kind == Role::Kind::kTrial && !settings->supervise) {
    return fail(kUsage, kServe, "supervise = false: needs a restart");
  }
  ::signal(SIGPIPE, SIG_IGN);
  ::umask(S_IRWXG | S_IRWXO);  // events are for those who have a grant, not an account
  const std::size_t files_max = base::raise_files_max();
  if (const auto refused = base::refuse_files_max(*settings, files_max)) {
    return fail(kFailed, kServe, refused->message);
  }

  const base::SystemClock clock;
  auto listeners = open_listeners(*settings, sources.variables, api::shard_count(*settings));
  if (!listeners) {
    return fail(kFailed, kServe, listeners.error().message);
  }
  if (role->kind == Role::Kind::kTrial) {
    return kTrialPassed;
  }
  if (role->kind == Role::Kind::kSuccessor || (settings->supervise && !is_worker)) {
    return run_supervisor({.clock = clock,
                           .log_level = settings->log_level,
                           .sources = std::move(sources),
                           .listeners = *std::move(listeners),
                           .role = *role});
  }
  return run_hub(clock, std::move(sources), *std::move(settings), *std::move(listeners), files_max,
                 is_worker);
}

int log_command(std::span<const std::string> arguments) {
  if (base::asks_for_help(arguments)) {
    return print(kLog, kLogHelp);
  }
  if (arguments.size() != 2 || arguments[0] != "new-epoch") {
    return fail(kUsage, kLog, "expected new-epoch FILE; see vrelo log --help");
  }
  const std::string& file = arguments[1];
  if (std::error_code error; !std::filesystem::exists(file, error)) {
    const std::string_view hint =
        file.starts_with("sqlite:") ? "; FILE is a path, without sqlite:" : "";
    return fail(kFailed, kLog, fmt::format("{}: there is no such file{}", file, hint));
  }
  const auto begun = log::sqlite::new_epoch(file);
  if (!begun) {
    return fail(kFailed, kLog, log::sqlite::open_failure(file, begun.error()));
  }
  return print(kLog, fmt::format("{}: a new epoch has begun\n", file));
}

std::vector<cli::Command> commands() {
  std::vector<cli::Command> all = {
      {.name = "serve", .summary = "run the hub", .run = serve},
      {.name = "log", .summary = "look after the file of a log", .run = log_command}};
  const auto others = cli::commands();
  all.insert(all.begin() + 1, others.begin(), others.end());
  return all;
}

int run(std::span<const std::string> arguments) {
  const std::vector<cli::Command> all = commands();
  if (arguments.empty()) {
    std::fputs(cli::help(all).c_str(), stderr);
    return kUsage;
  }
  const std::string& name = arguments.front();
  if (name == "--help" || name == "-h" || (name == "help" && arguments.size() == 1)) {
    return print("vrelo", cli::help(all));
  }
  if (name == "--version") {
    return print("vrelo", "vrelo " VRELO_VERSION "\n");
  }
  if (name == "help") {
    return run(std::vector<std::string>{arguments[1], "--help"});
  }
  const auto command = std::ranges::find(all, name, &cli::Command::name);
  return command != all.end() ? command->run(arguments.subspan(1))
                              : fail(kUsage, "vrelo", cli::unknown_command(name, all));
}

}  // namespace
}  // namespace vrelo

int main(int count, char** arguments) {
  if (const auto error = vrelo::base::open_standard_streams()) {
    return vrelo::fail(vrelo::kFailed, "vrelo", "/dev/null: " + error.message());
  }
  return vrelo::run(std::vector<std::string>(arguments + 1, arguments + count));
}
