#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// Not CLinux.h: under _GNU_SOURCE the C library's own statx and ours would meet.
const char *midwatch_errno_name(int code);
const char *midwatch_errno_name(int code) { return strerrorname_np(code); }

extern const int midwatch_O_PATH, midwatch_O_NOATIME, midwatch_O_TMPFILE, midwatch_AT_EMPTY_PATH;
extern const unsigned midwatch_RENAME_NOREPLACE, midwatch_RENAME_EXCHANGE;
const int midwatch_O_PATH = O_PATH, midwatch_O_NOATIME = O_NOATIME, midwatch_O_TMPFILE = O_TMPFILE,
          midwatch_AT_EMPTY_PATH = AT_EMPTY_PATH;
const unsigned midwatch_RENAME_NOREPLACE = RENAME_NOREPLACE, midwatch_RENAME_EXCHANGE = RENAME_EXCHANGE;

// The program's own code, clean pages of its file: end(3) describes etext, ld(1) __executable_start.
extern char __executable_start, etext;
void midwatch_release_start(void);
void midwatch_release_start(void) {
  malloc_trim(0);
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  const uintptr_t start = ((uintptr_t)&__executable_start + page - 1) / page * page;
  const uintptr_t end = (uintptr_t)&etext / page * page;
  if (start < end) madvise((void *)start, end - start, MADV_DONTNEED);
  // The stack below this frame: dead, and deeper than it will be again. A page is left for the frame
  // itself and for the call.
  const uintptr_t top = (uintptr_t)__builtin_frame_address(0) / page * page - page;
  madvise((void *)(top - 64 * page), 64 * page, MADV_DONTNEED);
}

// The cron gate stands in for /bin/sh and may not fail where sh would not: Swift's runtime aborts before
// main when it cannot read /proc/self/exe. So this one decision is made before it, in a constructor of a
// priority that comes first.
char *const *midwatch_arguments(void);
static char **arguments;
char *const *midwatch_arguments(void) { return arguments; }

__attribute__((constructor(101))) static void take_arguments(int count, char **values) {
  arguments = values;
  if (count < 1) return;
  const char *slash = strrchr(values[0], '/');
  if (strcmp(slash ? slash + 1 : values[0], "midwatch-sh") != 0) return;
  char byte;
  if (readlink("/proc/self/exe", &byte, 1) == 1) return;
  setenv("SHELL", "/bin/sh", 1);
  values[0] = "/bin/sh";
  execv("/bin/sh", values);
}
