// SPDX-License-Identifier: Apache-2.0
//
// What the store does when its files are removed, moved or replaced while it has them open.
#include "hub/log/sqlite/file_identity.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>

#include "hub/log/sqlite/sqlite_store_testing.h"

namespace vrelo::log::sqlite {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

TEST(FileIdentity, is_that_of_the_file_and_not_of_its_name) {
  const TemporaryFolder folder;
  const std::string name = folder.path() / "a";
  EXPECT_EQ(identify(name), std::nullopt);
  std::ofstream(name) << "a";
  const auto first = identify(name);
  ASSERT_TRUE(first);
  const std::string other = folder.path() / "b";
  fs::rename(name, other);
  EXPECT_EQ(identify(name), std::nullopt);
  EXPECT_EQ(identify(other), first);
  std::ofstream(name) << "a";
  EXPECT_NE(identify(name), first);
}

class SqliteRemovedFileTest : public ::testing::Test {
 protected:
  std::string file() const { return folder_.path() / "log.db"; }
  std::string wal() const { return file() + "-wal"; }
  std::string aside() const { return folder_.path() / "aside"; }

  void open() {
    store_ = nullptr;
    store_ = std::make_unique<OpenStore>(SqliteOptions{.file = file(),
                                                       .report =
                                                           [this](std::string_view line) {
                                                             const std::lock_guard lock(mutex_);
                                                             reports_.emplace_back(line);
                                                           }},
                                         clock_);
  }
  std::vector<std::string> reports() {
    const std::lock_guard lock(mutex_);
    return reports_;
  }

  boost::system::result<Appended> append(const std::string& data) {
    return store_->append({.topics = {"t"}, .id = data, .data = data});
  }
  std::vector<std::string> kept() {
    return data_of(store_->read(0, {.all = true}).value().records);
  }

  static std::string contents(const std::string& name) {
    std::ifstream in(name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  TemporaryFolder folder_;
  base::ManualClock clock_;
  std::mutex mutex_;
  std::vector<std::string> reports_;
  std::unique_ptr<OpenStore> store_;  // last: it reports
};

TEST_F(SqliteRemovedFileTest, acknowledges_nothing_more_and_says_which_file_is_gone) {
  enum class How { kRemoved, kMoved, kReplaced };
  struct Case {
    std::string about;
    bool is_wal;
    How how;
  };
  const std::vector<Case> cases = {
      {"the database is removed", false, How::kRemoved},
      {"the database is moved", false, How::kMoved},
      {"the database is replaced by a copy", false, How::kReplaced},
      {"the write-ahead log is removed", true, How::kRemoved},
      {"the write-ahead log is moved", true, How::kMoved},
      {"the write-ahead log is replaced by a copy", true, How::kReplaced},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.about);
    for (const fs::directory_entry& entry : fs::directory_iterator(folder_.path())) {
      fs::remove(entry);
    }
    reports_.clear();
    open();
    ASSERT_TRUE(append("before"));
    ASSERT_THAT(kept(), ElementsAre("before"));
    auto tail = store_->log().tail({.epoch = store_->log().end().epoch, .offset = 0});

    const std::string name = c.is_wal ? wal() : file();
    if (c.how == How::kRemoved) {
      fs::remove(name);
    } else {
      fs::rename(name, aside());
    }
    if (c.how == How::kReplaced) {
      fs::copy_file(aside(), name);
    }
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(append("after").error(), Errc::kUnavailable);
      clock_.advance(std::chrono::seconds(1));
    }
    EXPECT_EQ(store_->log().end().offset, 1U);
    EXPECT_THAT(data_of(store_->wait(tail->next({})).value()), ElementsAre("before"));
    EXPECT_THAT(reports(), ElementsAre(HasSubstr(name + ": removed, moved or replaced")));
    tail.reset();
    store_ = nullptr;
  }
}

TEST_F(SqliteRemovedFileTest, goes_on_when_they_are_put_back) {
  for (const std::string& name : {file(), wal()}) {
    SCOPED_TRACE(name);
    fs::remove(file());
    reports_.clear();
    open();
    ASSERT_TRUE(append("before"));
    fs::rename(name, aside());
    EXPECT_EQ(append("meanwhile").error(), Errc::kUnavailable);
    fs::rename(aside(), name);
    // What was refused may have been stored, as where a sync fails, but is not there twice.
    EXPECT_TRUE(append("meanwhile"));
    EXPECT_TRUE(append("after"));
    EXPECT_THAT(kept(), ElementsAre("before", "meanwhile", "after"));
    EXPECT_THAT(reports(), ElementsAre(HasSubstr("removed"), file() + ": open again"));
    open();
    EXPECT_THAT(kept(), ElementsAre("before", "meanwhile", "after"));
    store_ = nullptr;
  }
}

TEST_F(SqliteRemovedFileTest, is_noticed_while_nobody_publishes) {
  open();
  fs::remove(file());
  while (reports().empty()) {
    clock_.advance(std::chrono::seconds(1));
  }
  EXPECT_THAT(reports(), ElementsAre(HasSubstr(file())));
}

TEST_F(SqliteRemovedFileTest, reads_and_writes_no_other_file_that_is_put_in_their_place) {
  open();
  ASSERT_TRUE(append("of the other"));
  ASSERT_TRUE(append("of the other too"));
  store_ = nullptr;
  fs::rename(file(), aside());

  open();
  ASSERT_TRUE(append("own"));
  fs::rename(aside(), file());
  fs::remove(wal());
  std::ofstream(wal()) << "another's";
  const std::string before = contents(file());
  EXPECT_EQ(append("after").error(), Errc::kUnavailable);
  EXPECT_EQ(store_->read(0, {.all = true}).error(), Errc::kUnavailable);
  store_ = nullptr;
  EXPECT_EQ(contents(file()), before);
  EXPECT_EQ(contents(wal()), "another's");
}

TEST_F(SqliteRemovedFileTest, has_all_in_the_database_that_was_moved_and_leaves_none_of_it_behind) {
  open();
  ASSERT_TRUE(append("before"));
  fs::rename(file(), aside());
  EXPECT_EQ(append("after").error(), Errc::kUnavailable);
  clock_.advance(std::chrono::seconds(1));
  store_ = nullptr;
  EXPECT_EQ(contents(wal()), "");
  fs::remove(wal());
  fs::rename(aside(), file());
  open();
  EXPECT_THAT(kept(), ElementsAre("before", "after"));
}

}  // namespace
}  // namespace vrelo::log::sqlite
