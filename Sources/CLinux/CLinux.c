#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

// Not CLinux.h: under _GNU_SOURCE the C library's own statx and ours would meet.
const char *midwatch_errno_name(int code);
const char *midwatch_errno_name(int code) { return strerrorname_np(code); }

extern const int midwatch_O_PATH, midwatch_O_NOATIME, midwatch_O_TMPFILE, midwatch_AT_EMPTY_PATH;
extern const unsigned midwatch_RENAME_NOREPLACE, midwatch_RENAME_EXCHANGE;
const int midwatch_O_PATH = O_PATH, midwatch_O_NOATIME = O_NOATIME, midwatch_O_TMPFILE = O_TMPFILE,
          midwatch_AT_EMPTY_PATH = AT_EMPTY_PATH;
const unsigned midwatch_RENAME_NOREPLACE = RENAME_NOREPLACE, midwatch_RENAME_EXCHANGE = RENAME_EXCHANGE;
