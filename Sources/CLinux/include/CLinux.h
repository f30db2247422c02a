// The Linux calls that Swift's Glibc module leaves out. No logic lives here.
//
// An entry may exist for one of two reasons: the Glibc module map does not import it, or it is
// variadic or a macro in C. This header must not define _GNU_SOURCE: the Glibc module is built
// without it, and Clang refuses two modules that lay out fd_set or enum __rusage_who differently.
// What only exists under _GNU_SOURCE is declared by hand and defined in CLinux.c. Never include
// <linux/fcntl.h>: it clashes with <fcntl.h>.
#ifndef MIDWATCH_CLINUX_H
#define MIDWATCH_CLINUX_H

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/sock_diag.h>
#include <linux/stat.h>
#include <linux/unix_diag.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <unistd.h>

// No wrapper in the C library, or one that is gated by _GNU_SOURCE; syscall(2) itself is variadic.
static inline int midwatch_pidfd_open(pid_t pid) {  // Linux 5.3
  return (int)syscall(SYS_pidfd_open, pid, 0U);
}
static inline int midwatch_pidfd_send_signal(int pidfd, int signal) {  // Linux 5.1
  return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, (void *)0, 0U);
}
// PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9: to the group that the process leads.
static inline int midwatch_pidfd_send_group_signal(int pidfd, int signal) {
  return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, (void *)0, 1U << 2);
}
static inline int midwatch_memfd_create(const char *name, unsigned flags) {  // Linux 3.17
  return (int)syscall(SYS_memfd_create, name, flags);
}
static inline int midwatch_openat2(int dirfd, const char *path, const struct open_how *how) {  // Linux 5.6
  return (int)syscall(SYS_openat2, dirfd, path, how, sizeof *how);
}
static inline int midwatch_renameat2(int fromdir, const char *from, int todir, const char *to, unsigned flags) {
  return (int)syscall(SYS_renameat2, fromdir, from, todir, to, flags);  // Linux 3.15
}
static inline int midwatch_statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *to) {
  return (int)syscall(SYS_statx, dirfd, path, flags, mask, to);  // Linux 4.11
}
static inline long midwatch_getdents64(int fd, void *to, size_t size) {
  return syscall(SYS_getdents64, fd, to, size);
}

// Variadic.
static inline int midwatch_has_posix_lock(int fd) {  // 1: somebody else's lock stands in the way; 0: none
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  return fcntl(fd, F_GETLK, &lock) == -1 ? -1 : lock.l_type != F_UNLCK;
}
static inline int midwatch_set_name(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }
static inline int midwatch_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }
static inline int midwatch_die_with_parent(int signal) { return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }
static inline int midwatch_close_all(void) {  // Linux 5.9
  return (int)syscall(SYS_close_range, 0U, ~0U, 0U);
}

// As the kernel laid it out; Swift reads its own copy from /proc, which a process may be without.
char *const *midwatch_arguments(void);

// malloc.h is in no module map, and the linker's symbols can be in none.
void midwatch_release_start(void);

// Gated by _GNU_SOURCE.
const char *midwatch_errno_name(int code);
extern const int midwatch_O_PATH, midwatch_O_NOATIME, midwatch_O_TMPFILE, midwatch_AT_EMPTY_PATH;
extern const unsigned midwatch_RENAME_NOREPLACE, midwatch_RENAME_EXCHANGE;
#endif
