// SPDX-License-Identifier: Apache-2.0
//
// Loaded before the C library (LD_PRELOAD), it lets one in so many calls for a database's files fail with EIO: all whose
// names have ".db" in them. How many is what the file $FAILING_DISK_ONE_IN says: 8 bytes in the machine's order, which
// may change at any time; 0 is none.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILES_MAX 65536

static const volatile int64_t* one_in = NULL;
static atomic_bool is_database[FILES_MAX];  // by descriptor
static atomic_uint_fast64_t calls;

__attribute__((constructor)) static void map_number(void) {
  const char* const path = getenv("FAILING_DISK_ONE_IN");
  const int fd = path == NULL ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  void* const mapped = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*one_in), PROT_READ, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) {
    perror("FAILING_DISK_ONE_IN");
    _exit(127);
  }
  syscall(SYS_close, fd);
  one_in = mapped;
}

static bool fails(void) {
  const int64_t count = *one_in;
  if (count == 0 || atomic_fetch_add(&calls, 1) % (uint64_t)count != 0) {
    return false;
  }
  errno = EIO;
  return true;
}

static bool fails_for(int fd) {
  return fd >= 0 && fd < FILES_MAX && is_database[fd] && fails();
}

static int open_at(int folder, const char* path, int flags, mode_t mode) {
  const bool watched = strstr(path, ".db") != NULL;
  if (watched && fails()) {
    return -1;
  }
  const int fd = (int)syscall(SYS_openat, folder, path, flags, mode);
  if (fd >= 0 && fd < FILES_MAX) {
    is_database[fd] = watched;
  }
  return fd;
}

// Of a call that has one.
#define MODE_AFTER(flags)                     \
  mode_t mode = 0;                            \
  if (((flags) & (O_CREAT | O_TMPFILE)) != 0) { \
    va_list more;                             \
    va_start(more, flags);                    \
    mode = va_arg(more, mode_t);              \
    va_end(more);                             \
  }

int open(const char* path, int flags, ...) {
  MODE_AFTER(flags)
  return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  MODE_AFTER(flags)
  return open_at(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

// The symbol of the C library that ours stands before.
static void* next(const char* name) {
  void* const symbol = dlsym(RTLD_NEXT, name);
  if (symbol == NULL) {
    abort();
  }
  return symbol;
}

#define FAILING(type, name, parameters, ...)             \
  type name parameters {                                 \
    static type(*_Atomic real) parameters;               \
    if (fails_for(fd)) {                                 \
      return -1;                                         \
    }                                                    \
    if (real == NULL) {                                  \
      real = (type(*) parameters)next(#name);            \
    }                                                    \
    return real(__VA_ARGS__);                            \
  }

FAILING(ssize_t, pread, (int fd, void* bytes, size_t count, off_t at), fd, bytes, count, at)
FAILING(ssize_t, pread64, (int fd, void* bytes, size_t count, off64_t at), fd, bytes, count, at)
FAILING(ssize_t, pwrite, (int fd, const void* bytes, size_t count, off_t at), fd, bytes, count, at)
FAILING(ssize_t, pwrite64, (int fd, const void* bytes, size_t count, off64_t at), fd, bytes, count, at)
FAILING(int, ftruncate, (int fd, off_t length), fd, length)
FAILING(int, ftruncate64, (int fd, off64_t length), fd, length)
FAILING(int, fsync, (int fd), fd)
FAILING(int, fdatasync, (int fd), fd)
