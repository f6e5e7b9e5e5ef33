// SPDX-License-Identifier: Apache-2.0
#include "cli/bench.h"

#include <unistd.h>

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "cli/arguments.h"
#include "cli/bench_options.h"
#include "cli/bench_report.h"
#include "cli/commands.h"
#include "cli/load/load.h"
#include "cli/output.h"
#include "cli/process.h"
#include "cli/signals.h"
#include "hub/base/files_limit.h"

namespace vrelo::cli {
namespace {

constexpr int kSignalBase = 128;
constexpr std::size_t kOwnFiles = 32;  // beside connections
constexpr std::string_view kClearLine = "\r\x1b[K";

}  // namespace

int bench(std::span<const std::string> arguments) {
  Signals signals;
  FileOutput out(STDOUT_FILENO, signals.fd());
  FileOutput err(STDERR_FILENO, signals.fd());
  const auto read = read_bench_options({arguments.begin(), arguments.end()}, out, err);
  if (const int* const status = std::get_if<int>(&read)) {
    return *status;
  }
  const auto& options = std::get<BenchOptions>(read);
  const load::Workload& workload = options.workload;
  const std::size_t files_max = base::raise_files_max();
  if (const std::size_t files = workload.readers + workload.publishers + kOwnFiles;
      files > files_max) {
    say(err, kBenchName,
        fmt::format("{} streams and {} publishers need {} file descriptors; this process may have "
                    "{} (ulimit -n)",
                    workload.readers, workload.publishers, files, files_max));
    return kUsage;
  }

  std::optional<int> signal;
  const bool shows_progress = ::isatty(STDERR_FILENO) == 1;
  const auto report = load::run_load(workload, [&](const load::Progress& progress) {
    signal = signals.take();
    if (shows_progress) {
      err.write(fmt::format("{}{}", kClearLine, progress_text(workload, progress)));
    }
    return !signal;
  });
  if (shows_progress) {
    err.write(kClearLine);
  }
  if (!report) {
    say(err, kBenchName, report.error().message());
    return kFailed;
  }
  if (workload.readers > 0 && report->readers.connected == 0 && !signal) {
    say(err, kBenchName,
        fmt::format(
            "{}: {}; is a hub running there? vrelo serve starts one", workload.stream.authority,
            report->readers.first_refusal.empty() ? "no answer" : report->readers.first_refusal));
    return kNotConnected;
  }
  const auto error =
      out.write(options.json ? report_json(workload, *report) : report_text(workload, *report));
  if (error) {
    return output_status(err, kBenchName, error);
  }
  if (signal) {
    return kSignalBase + *signal;
  }
  return is_faultless(workload, *report) ? kOk : kFailed;
}

}  // namespace vrelo::cli
