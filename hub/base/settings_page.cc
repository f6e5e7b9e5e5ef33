// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "hub/base/settings.h"
#include "hub/base/settings_table.h"

namespace vrelo::base {
namespace {

constexpr std::string_view kIntroduction = R"(<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Made from the table in hub/base/settings_table.cc; a test compares the two. -->

# Settings

Each setting has one name and can stand in three places:

| place | how `history_age` is written there |
|---|---|
| a flag | `vrelo serve --history-age 7d` |
| the environment | `VRELO_HISTORY_AGE=7d` |
| a TOML file, named by `--config` or `VRELO_CONFIG` | `history_age = "7d"` |

A flag goes before the environment, and that before the file. A name that does not exist is an
error, wherever it stands, and so is a value that is out of range. `docs/vrelo.toml` is an example
to begin with.

A *SIZE* is a number of bytes, or a whole number with `kB`, `MB`, `GB`, `TB`, `KiB`, `MiB`, `GiB` or
`TiB`. A *DURATION* is a number of seconds, or a whole number with `ms`, `s`, `min`, `h` or `d`. A
list is written with commas, in the file as a TOML array.

`SIGHUP` makes the hub read the file again. A file with an error changes nothing. What is marked
*restart* keeps its value until the hub is started anew, and a line in the log says so.

Keys stand in files of their own, never in a flag, which every user of the machine can see.
)";

constexpr std::string_view kIssuersSection =
    "\n## Whose tokens are taken\n\n"
    "As soon as the file has a table `[[issuers]]`, nobody may publish without a token, and the "
    "hub "
    "may\nlisten beyond loopback. There may be several, also with one name: one for publishers and "
    "one for\nsubscribers. `SIGHUP` reads the keys again.\n\n"
    "| name | value | default | what it does |\n|---|---|---|---|\n"
    "| `name` | a text | | What its tokens have as `iss`, byte for byte. |\n"
    "| `keys` | a list of files, from the folder of this one | | Its keys: PEM (public), a JWK, or "
    "a JWK set. Of all issuers, at most 8 for one role and algorithm may have no `kid`, as those "
    "in PEM have none: see [authorization.md](authorization.md#which-key-is-tried). |\n"
    "| `jwks_url` | an `https` URL | | Where it publishes its keys as a JWK set, beside those in "
    "files or instead of them: see [authorization.md](authorization.md#keys-from-a-url). |\n"
    "| `jwks_ca` | a file, from the folder of this one | the system's | Who signs certificates for "
    "the server of `jwks_url`, in PEM. |\n"
    "| `roles` | a list of `publish`, `subscribe`, `admin` | the first two | What its keys may "
    "sign "
    "for. |\n"
    "| `algorithms` | a list, as `[\"ES256\"]` | those of the keys | Which of its keys are taken. "
    "|\n"
    "| `token_lifetime` | `DURATION` | any | The longest time from `iat`, which they need then, to "
    "`exp` that its tokens may have; revocations but those of keys are forgotten after it. |\n"
    "| `streams` | a number | 0: no limit | How many streams each subject (`sub`) of its tokens "
    "may have open at once on this hub. |\n"
    "| `publishes_per_second` | a number | 0: no limit | How many events each subject of its "
    "tokens may publish on this hub, per second and at one go. |\n"
    "| `tickets_per_minute`, `tickets_unused` | a number | as for all | What each subject of its "
    "tokens may have of tickets, in the place of the settings of that name: more for a back end "
    "that mints for many readers. |\n"
    "| `mercure_claim` | true or false | false | Tokens of Mercure 0.x are taken too, also from "
    "the query and the cookie `mercureAuthorization`. They need no `name`. |\n";

// A cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    escaped += c == '|' ? "\\|" : std::string(1, c);
  }
  return escaped;
}

std::string code(std::string_view text) {
  return text.empty() ? std::string() : fmt::format("`{}`", cell(text));
}

}  // namespace

std::string settings_page() {
  std::string page(kIntroduction);
  std::string_view group;
  for (const SettingRow& row : setting_rows()) {
    if (row.group != group) {
      group = row.group;
      page += fmt::format(
          "\n## {}\n\n| name | value | default | what it does |\n|---|---|---|---|\n", group);
    }
    std::string help = cell(row.help);
    if (row.places == SettingPlaces::kNotInFile) {
      help += " Not in the file itself.";
    }
    if (row.change == SettingChange::kRestart) {
      help += " *restart*";
    }
    const std::string limits = range(row);
    page += fmt::format("| `{}` | {}{} | {} | {} |\n", row.name, code(shape(row)),
                        limits.empty() ? "" : ", " + limits, code(get(row, Settings())), help);
  }
  return page + std::string(kIssuersSection);
}

}  // namespace vrelo::base
