/*
 * A fault injector at the border of the C library, for LD_PRELOAD. It counts the calls by which the process that it is
 * loaded into changes the world (bytes into sockets and files, syncs, names), writes them to a trace, and at one of them
 * kills the process or lets the call fail. What is not named by PAWL_FAULT_FILES passes unseen.
 *
 *   PAWL_FAULT_FILES  class=/absolute/path, or its start and "*", separated by colons; "socket" is a class of its own: TCP
 *   PAWL_FAULT_TRACE  a file that gets a line for each counted call: "class call nth"
 *   PAWL_FAULT        "class call nth what", where class may be "*" for any file, call for any call; what is one of
 *                       kill-before, kill-after, kill-torn (half of what was to be written), EIO, ENOSPC, EROFS
 *   PAWL_FAULT_FIRED  a file that is made when the fault strikes
 *   PAWL_FAULT_GATE   a file: calls fail, whatever their nth, as long as it is there
 *
 * Only this process: the environment is cleaned before main, so that children start without all of this.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum call { OPEN, WRITE, SYNC, TRUNCATE, RENAME, LINK, UNLINK, CALLS };
static const char *const call_names[CALLS] = {"open", "write", "sync", "truncate", "rename", "link", "unlink"};

enum what { NOTHING, KILL_BEFORE, KILL_AFTER, KILL_TORN, FAIL };

#define MAX_CLASSES 16
#define SOCKET_CLASS 0
#define NO_CLASS (-1)

static struct {
  char name[32];
  char path[PATH_MAX];
  unsigned counts[CALLS];
} classes[MAX_CLASSES] = {{.name = "socket"}};
static int class_count = 1;

static struct {
  char class[32], call[32];
  unsigned nth;
  enum what what;
  int error;
} plan;
static char gate[PATH_MAX], fired[PATH_MAX];
static int trace = -1;

/* The real calls, by system call: what a function is called in this libc does not matter then. */
#define REAL(name, ...) syscall(SYS_##name, __VA_ARGS__)

static void take(char *to, size_t size, const char *variable) {
  const char *value = getenv(variable);
  if (value != NULL) snprintf(to, size, "%s", value);
  unsetenv(variable);
}

static void read_plan(const char *text) {
  char what[32];
  if (sscanf(text, "%31s %31s %u %31s", plan.class, plan.call, &plan.nth, what) != 4) abort();
  if (strcmp(what, "kill-before") == 0) plan.what = KILL_BEFORE;
  else if (strcmp(what, "kill-after") == 0) plan.what = KILL_AFTER;
  else if (strcmp(what, "kill-torn") == 0) plan.what = KILL_TORN;
  else plan.what = FAIL;
  plan.error = strcmp(what, "ENOSPC") == 0 ? ENOSPC : strcmp(what, "EROFS") == 0 ? EROFS : EIO;
}

static void read_files(char *text) {
  char *rest = NULL;
  for (char *one = strtok_r(text, ":", &rest); one != NULL; one = strtok_r(NULL, ":", &rest)) {
    char *path = strchr(one, '=');
    if (path == NULL || class_count == MAX_CLASSES) abort();
    *path++ = '\0';
    snprintf(classes[class_count].name, sizeof classes[0].name, "%s", one);
    snprintf(classes[class_count++].path, sizeof classes[0].path, "%s", path);
  }
}

__attribute__((constructor)) static void start(void) {
  static char files[8 * PATH_MAX], text[128], trace_path[PATH_MAX];
  take(files, sizeof files, "PAWL_FAULT_FILES");
  take(text, sizeof text, "PAWL_FAULT");
  take(trace_path, sizeof trace_path, "PAWL_FAULT_TRACE");
  take(gate, sizeof gate, "PAWL_FAULT_GATE");
  take(fired, sizeof fired, "PAWL_FAULT_FIRED");
  unsetenv("LD_PRELOAD");
  read_files(files);
  if (text[0] != '\0') read_plan(text);
  if (trace_path[0] != '\0')
    trace = (int)REAL(openat, AT_FDCWD, trace_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int class_of_path(const char *path) {
  for (int i = 1; i < class_count; i++) {
    size_t length = strlen(classes[i].path);
    bool prefix = length > 0 && classes[i].path[length - 1] == '*';
    if (prefix ? strncmp(classes[i].path, path, length - 1) == 0 : strcmp(classes[i].path, path) == 0) return i;
  }
  return NO_CLASS;
}

static int class_of(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) return NO_CLASS;
  if (S_ISSOCK(status.st_mode)) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    bool tcp = getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
               (address.ss_family == AF_INET || address.ss_family == AF_INET6);
    return tcp ? SOCKET_CLASS : NO_CLASS;
  }
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return NO_CLASS;
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return NO_CLASS;
  path[length] = '\0';
  return class_of_path(path);
}

static void strike(void) {
  if (fired[0] == '\0') return;
  int fd = (int)REAL(openat, AT_FDCWD, fired, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd >= 0) REAL(close, fd);
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* Counts the call, and says what is to become of it. */
static enum what meet(int class, enum call call) {
  if (class == NO_CLASS) return NOTHING;
  unsigned nth = __atomic_add_fetch(&classes[class].counts[call], 1, __ATOMIC_SEQ_CST);
  if (trace >= 0) {
    char line[96];
    int length = snprintf(line, sizeof line, "%s %s %u\n", classes[class].name, call_names[call], nth);
    if (REAL(write, trace, line, (size_t)length) != length) abort();
  }
  if (plan.what == NOTHING) return NOTHING;
  if (plan.class[0] == '*' ? class == SOCKET_CLASS : strcmp(plan.class, classes[class].name) != 0) return NOTHING;
  if (plan.call[0] != '*' && strcmp(plan.call, call_names[call]) != 0) return NOTHING;
  if (gate[0] != '\0' ? REAL(faccessat, AT_FDCWD, gate, F_OK) != 0 : nth != plan.nth) return NOTHING;
  strike();
  if (plan.what == KILL_BEFORE) die();
  return plan.what;
}

/* The rest of an interposed function: `real` carries the call out. A kill that is torn strikes writes alone. */
#define CARRY_OUT(type, class, call, real)         \
  do {                                             \
    enum what what_ = meet(class, call);           \
    if (what_ == FAIL) {                           \
      errno = plan.error;                          \
      return -1;                                   \
    }                                              \
    type result_ = (type)(real);                   \
    if (what_ == KILL_AFTER || what_ == KILL_TORN) \
      die();                                       \
    return result_;                                \
  } while (0)

static ssize_t write_some(int fd, const void *bytes, size_t count, bool at, off_t offset) {
  enum what what = meet(class_of(fd), WRITE);
  if (what == FAIL) {
    errno = plan.error;
    return -1;
  }
  size_t length = what == KILL_TORN ? count / 2 : count;
  ssize_t result = at ? REAL(pwrite64, fd, bytes, length, offset) : REAL(write, fd, bytes, length);
  if (what != NOTHING) die();
  return result;
}

static ssize_t write_vector(int fd, const struct iovec *vector, int count, bool at, off_t offset) {
  enum what what = meet(class_of(fd), WRITE);
  if (what == FAIL) {
    errno = plan.error;
    return -1;
  }
  struct iovec half = {0};
  if (what == KILL_TORN && count > 0) {
    half = (struct iovec){vector[0].iov_base, vector[0].iov_len / 2};
    vector = &half;
    count = 1;
  }
  ssize_t result = at ? REAL(pwritev, fd, vector, count, offset, 0) : REAL(writev, fd, vector, count);
  if (what != NOTHING) die();
  return result;
}

ssize_t write(int fd, const void *bytes, size_t count) {
  return write_some(fd, bytes, count, false, 0);
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
  return write_some(fd, bytes, count, true, at);
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  return write_some(fd, bytes, count, true, at);
}
ssize_t writev(int fd, const struct iovec *vector, int count) {
  return write_vector(fd, vector, count, false, 0);
}
ssize_t pwritev(int fd, const struct iovec *vector, int count, off_t at) {
  return write_vector(fd, vector, count, true, at);
}
ssize_t pwritev64(int fd, const struct iovec *vector, int count, off64_t at) {
  return write_vector(fd, vector, count, true, at);
}

ssize_t send(int fd, const void *bytes, size_t count, int flags) {
  CARRY_OUT(ssize_t, class_of(fd), WRITE, REAL(sendto, fd, bytes, count, flags, NULL, 0));
}
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  CARRY_OUT(ssize_t, class_of(fd), WRITE, REAL(sendmsg, fd, message, flags));
}

int fsync(int fd) {
  CARRY_OUT(int, class_of(fd), SYNC, REAL(fsync, fd));
}
int fdatasync(int fd) {
  CARRY_OUT(int, class_of(fd), SYNC, REAL(fdatasync, fd));
}

int ftruncate(int fd, off_t length) {
  CARRY_OUT(int, class_of(fd), TRUNCATE, REAL(ftruncate, fd, length));
}
int ftruncate64(int fd, off64_t length) {
  CARRY_OUT(int, class_of(fd), TRUNCATE, REAL(ftruncate, fd, length));
}

/* By the name that goes away: the file that moves. */
int rename(const char *from, const char *to) {
  CARRY_OUT(int, class_of_path(from), RENAME, REAL(renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}
/* By the name that comes. */
int link(const char *from, const char *to) {
  CARRY_OUT(int, class_of_path(to), LINK, REAL(linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
}
int unlink(const char *path) {
  CARRY_OUT(int, class_of_path(path), UNLINK, REAL(unlinkat, AT_FDCWD, path, 0));
}

/* An open counts where it may make the file. */
static int open_at(int folder, const char *path, int flags, mode_t mode) {
  int class = (flags & O_CREAT) != 0 ? class_of_path(path) : NO_CLASS;
  CARRY_OUT(int, class, OPEN, REAL(openat, folder, path, flags, mode));
}

#define MODE_OF(flags, mode)                                \
  mode_t mode = 0;                                          \
  if (((flags) & (O_CREAT | __O_TMPFILE)) != 0) {           \
    va_list arguments;                                      \
    va_start(arguments, flags);                             \
    mode = va_arg(arguments, mode_t);                       \
    va_end(arguments);                                      \
  }

int open(const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return open_at(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return open_at(AT_FDCWD, path, flags, mode);
}
int openat(int folder, const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return open_at(folder, path, flags, mode);
}
int openat64(int folder, const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return open_at(folder, path, flags, mode);
}
