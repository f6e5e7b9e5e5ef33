// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cassert>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <sqlite3.h>

namespace vrelo::base::sqlite {

// A disk that fails when it is told to: a VFS of SQLite's that hands everything on to the system's
// own, but for the calls that are to fail.
//
// Threads: any. Lifetime: outlives the connections that were opened with its name().
class FaultyVfs {
 public:
  enum class Call {
    kOpen,
    kAccess,
    kDelete,
    kRead,
    kWrite,
    kTruncate,
    kSync,
    kFileSize,
    kFileControl,
    kLock,
    kShmMap,
    kShmLock,
  };

  // Which calls fail, and how. `skipped` of those that match succeed before, and after `failing`
  // ones the disk is well again.
  struct Fault {
    static constexpr std::uint64_t kForEver = ~std::uint64_t{0};

    bool (*matches)(Call call, std::string_view file) = nullptr;
    int result_code = SQLITE_IOERR;
    std::uint64_t skipped = 0;
    std::uint64_t failing = kForEver;

    // As after a sync that failed, when the system drops what it could not write: a sync that fails
    // cuts what was added to the file since the last one.
    bool drops_unsynced = false;
  };

  // Whose connections it serves: those that name it, or also those that name none.
  enum class Use { kByName, kByDefault };

  explicit FaultyVfs(Use use = Use::kByName)
      : real_(sqlite3_vfs_find(nullptr)), name_("faulty " + std::to_string(next_number())) {
    vfs_ = *real_;
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    vfs_.zName = name_.c_str();
    vfs_.pAppData = this;
    vfs_.xOpen = open;
    vfs_.xAccess = access;
    vfs_.xDelete = erase;
    [[maybe_unused]] const int rc = sqlite3_vfs_register(&vfs_, use == Use::kByDefault ? 1 : 0);
    assert(rc == SQLITE_OK);
  }
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;
  ~FaultyVfs() { sqlite3_vfs_unregister(&vfs_); }

  const std::string& name() const { return name_; }

  void fail(Fault fault) {
    const std::lock_guard lock(mutex_);
    fault_ = fault;
    matched_ = 0;
    failed_ = 0;
  }
  void heal() { fail({}); }

  // How many calls matched, and how many failed, since fail().
  std::uint64_t matched() const {
    const std::lock_guard lock(mutex_);
    return matched_;
  }
  std::uint64_t failed() const {
    const std::lock_guard lock(mutex_);
    return failed_;
  }

 private:
  // SQLite knows it by its base. The system's own file stands behind it.
  struct File {
    sqlite3_file base;
    FaultyVfs* vfs;
    const char* name;  // lives as long as the file is open; nullptr: a temporary one
    sqlite3_int64 synced_bytes;

    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
    std::string_view view() const { return name == nullptr ? "" : name; }
  };

  static File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
  static sqlite3_file* real(sqlite3_file* file) { return of(file).real(); }

  static unsigned next_number() {
    static std::atomic<unsigned> number = 0;
    return ++number;
  }

  // Returns SQLITE_OK for a call that is not to fail.
  int result_of(Call call, std::string_view file) {
    const std::lock_guard lock(mutex_);
    if (fault_.matches == nullptr || !fault_.matches(call, file)) {
      return SQLITE_OK;
    }
    const std::uint64_t number = matched_++;
    if (number < fault_.skipped || number - fault_.skipped >= fault_.failing) {
      return SQLITE_OK;
    }
    ++failed_;
    return fault_.result_code;
  }

  bool drops_unsynced() const {
    const std::lock_guard lock(mutex_);
    return fault_.drops_unsynced;
  }

  static int open(
      sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags) {
    FaultyVfs& self = *static_cast<FaultyVfs*>(vfs->pAppData);
    File& opened = of(file);
    opened.base.pMethods = nullptr;  // not open
    if (const int rc = self.result_of(Call::kOpen, name == nullptr ? "" : name); rc != SQLITE_OK) {
      return rc;
    }
    opened.vfs = &self;
    opened.name = name;
    const int rc = self.real_->xOpen(self.real_, name, opened.real(), flags, out_flags);
    if (rc == SQLITE_OK) {
      opened.base.pMethods = methods();
      opened.real()->pMethods->xFileSize(opened.real(), &opened.synced_bytes);
    }
    return rc;
  }

  static int access(sqlite3_vfs* vfs, const char* name, int flags, int* result) {
    FaultyVfs& self = *static_cast<FaultyVfs*>(vfs->pAppData);
    const int rc = self.result_of(Call::kAccess, name);
    return rc != SQLITE_OK ? rc : self.real_->xAccess(self.real_, name, flags, result);
  }

  static int erase(sqlite3_vfs* vfs, const char* name, int sync_folder) {
    FaultyVfs& self = *static_cast<FaultyVfs*>(vfs->pAppData);
    const int rc = self.result_of(Call::kDelete, name);
    return rc != SQLITE_OK ? rc : self.real_->xDelete(self.real_, name, sync_folder);
  }

  static int sync(sqlite3_file* file, int flags) {
    File& synced = of(file);
    const sqlite3_io_methods& methods = *synced.real()->pMethods;
    if (const int rc = synced.vfs->result_of(Call::kSync, synced.view()); rc != SQLITE_OK) {
      if (synced.vfs->drops_unsynced()) {
        methods.xTruncate(synced.real(), synced.synced_bytes);
      }
      return rc;
    }
    const int rc = methods.xSync(synced.real(), flags);
    methods.xFileSize(synced.real(), &synced.synced_bytes);
    return rc;
  }

  // What is locked can always be unlocked.
  static int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
    const int rc = (flags & SQLITE_SHM_LOCK) == 0
                       ? SQLITE_OK
                       : of(file).vfs->result_of(Call::kShmLock, of(file).view());
    return rc != SQLITE_OK ? rc : real(file)->pMethods->xShmLock(real(file), offset, count, flags);
  }

  // Fails, or hands a call on to the same one of the system's file.
  template <Call kCall, auto kMethod>
  struct Failing;
  template <Call kCall,
            typename... Args,
            int (*sqlite3_io_methods::*kMethod)(sqlite3_file*, Args...)>
  struct Failing<kCall, kMethod> {
    static int call(sqlite3_file* file, Args... args) {
      const int rc = of(file).vfs->result_of(kCall, of(file).view());
      return rc != SQLITE_OK ? rc : (real(file)->pMethods->*kMethod)(real(file), args...);
    }
  };

  // Hands a call on to the same one of the system's file.
  template <auto kMethod>
  struct Forward;
  template <typename... Args, typename R, R (*sqlite3_io_methods::*kMethod)(sqlite3_file*, Args...)>
  struct Forward<kMethod> {
    static R call(sqlite3_file* file, Args... args) {
      return (real(file)->pMethods->*kMethod)(real(file), args...);
    }
  };

  static const sqlite3_io_methods* methods() {
    using M = sqlite3_io_methods;
    static const sqlite3_io_methods methods = {
        .iVersion = 3,
        .xClose = Forward<&M::xClose>::call,
        .xRead = Failing<Call::kRead, &M::xRead>::call,
        .xWrite = Failing<Call::kWrite, &M::xWrite>::call,
        .xTruncate = Failing<Call::kTruncate, &M::xTruncate>::call,
        .xSync = sync,
        .xFileSize = Failing<Call::kFileSize, &M::xFileSize>::call,
        .xLock = Failing<Call::kLock, &M::xLock>::call,
        .xUnlock = Forward<&M::xUnlock>::call,
        .xCheckReservedLock = Forward<&M::xCheckReservedLock>::call,
        .xFileControl = Failing<Call::kFileControl, &M::xFileControl>::call,
        .xSectorSize = Forward<&M::xSectorSize>::call,
        .xDeviceCharacteristics = Forward<&M::xDeviceCharacteristics>::call,
        .xShmMap = Failing<Call::kShmMap, &M::xShmMap>::call,
        .xShmLock = shm_lock,
        .xShmBarrier = Forward<&M::xShmBarrier>::call,
        .xShmUnmap = Forward<&M::xShmUnmap>::call,
        .xFetch = Forward<&M::xFetch>::call,
        .xUnfetch = Forward<&M::xUnfetch>::call,
    };
    return &methods;
  }

  sqlite3_vfs* const real_;
  const std::string name_;
  sqlite3_vfs vfs_ = {};

  mutable std::mutex mutex_;
  Fault fault_;
  std::uint64_t matched_ = 0;
  std::uint64_t failed_ = 0;
};

}  // namespace vrelo::base::sqlite
