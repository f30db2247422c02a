#define _GNU_SOURCE
#include "CBench.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

long bench_cpu(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1000000000L + time.tv_nsec;
}

// MARK: files

const char *bench_make_directory(void) {
  static char path[4096];
  const char *base = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/midwatch-bench-XXXXXX", base && *base ? base : "/tmp");
  return mkdtemp(path);
}

int bench_make_subdirectory(const char *parent, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", parent, name);
  return mkdir(path, 0755) ? 1 : 0;
}

int bench_create(const char *directory, const char *prefix, int first, int count) {
  char path[4096];
  int failed = 0;
  for (int i = first; i < first + count; i++) {
    snprintf(path, sizeof path, "%s/%s-%d.md", directory, prefix, i);
    const int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0 || close(file)) failed++;
  }
  return failed;
}

int bench_rename(const char *directory, const char *prefix, const char *to, const char *new_prefix, int first, int count) {
  char old[4096], new[4096];
  int failed = 0;
  for (int i = first; i < first + count; i++) {
    snprintf(old, sizeof old, "%s/%s-%d.md", directory, prefix, i);
    snprintf(new, sizeof new, "%s/%s-%d.md", to, new_prefix, i);
    if (rename(old, new)) failed++;
  }
  return failed;
}

int bench_unlink(const char *directory, const char *prefix, int first, int count) {
  char path[4096];
  int failed = 0;
  for (int i = first; i < first + count; i++) {
    snprintf(path, sizeof path, "%s/%s-%d.md", directory, prefix, i);
    if (unlink(path)) failed++;
  }
  return failed;
}

int bench_unlink_one(const char *directory, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  return unlink(path) ? 1 : 0;
}

int bench_touch(const char *directory, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return 1;
  const int failed = futimens(file, NULL) != 0;
  close(file);
  return failed;
}

int bench_remove_directory(const char *path) { return rmdir(path) ? 1 : 0; }

// MARK: references

int bench_watch(const char *directory) {
  const int queue = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  const uint32_t mask = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF;
  if (queue >= 0 && inotify_add_watch(queue, directory, mask) < 0) {
    close(queue);
    return -1;
  }
  return queue;
}

void bench_close(int queue) { close(queue); }

long bench_drain(int queue) {
  static char buffer[65536] __attribute__((aligned(8)));
  static volatile uint32_t seen;
  long records = 0;
  ssize_t count;
  while ((count = read(queue, buffer, sizeof buffer)) > 0) {
    for (ssize_t at = 0; at < count;) {
      const struct inotify_event *event = (const struct inotify_event *)(buffer + at);
      seen += event->mask ^ (uint32_t)strlen(event->name);
      at += (ssize_t)(sizeof *event + event->len);
      records++;
    }
  }
  return records;
}

long bench_list(const char *directory) {
  static char buffer[32768] __attribute__((aligned(8)));
  const int place = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (place < 0) return -1;
  long names = 0;
  ssize_t count;
  while ((count = getdents64(place, buffer, sizeof buffer)) > 0) {
    for (ssize_t at = 0; at < count;) {
      const struct dirent64 *entry = (const struct dirent64 *)(buffer + at);
      if (entry->d_name[0] != '.') names++;
      at += entry->d_reclen;
    }
  }
  close(place);
  return names;
}

long bench_scan_processes(void) {
  static char buffer[32768] __attribute__((aligned(8)));
  static char stat[4096];
  const int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (proc < 0) return -1;
  long processes = 0;
  ssize_t count;
  while ((count = getdents64(proc, buffer, sizeof buffer)) > 0) {
    for (ssize_t at = 0; at < count;) {
      const struct dirent64 *entry = (const struct dirent64 *)(buffer + at);
      at += entry->d_reclen;
      if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
      char path[300];
      snprintf(path, sizeof path, "%s/stat", entry->d_name);
      const int file = openat(proc, path, O_RDONLY | O_CLOEXEC);
      if (file < 0) continue;
      if (read(file, stat, sizeof stat) > 0) processes++;
      close(file);
    }
  }
  close(proc);
  return processes;
}

static pid_t start_shell(const char *program, const char *configuration, const char *command, int input) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  setenv("MIDWATCH_CONFIG", configuration, 1);
  if (input >= 0) dup2(input, 0);
  execl(program, program, "-c", command, (char *)NULL);
  _exit(127);
}

long bench_shell_cpu(const char *program, const char *configuration) {
  int status;
  struct rusage usage;
  const pid_t pid = start_shell(program, configuration, ":", -1);
  if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || status != 0) return -1;
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000L +
         (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000L;
}

long bench_shell_memory(const char *program, const char *configuration) {
  int input[2], ready[2];
  if (pipe(input) != 0 || pipe2(ready, 0) != 0) return -1;
  char command[64];
  snprintf(command, sizeof command, "echo >&%d; read line", ready[1]);
  fcntl(input[1], F_SETFD, FD_CLOEXEC);
  const pid_t pid = start_shell(program, configuration, command, input[0]);
  close(ready[1]);
  char byte;
  long kibibytes = -1;
  if (pid > 0 && read(ready[0], &byte, 1) == 1) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    FILE *rollup = fopen(path, "re");
    while (rollup && fgets(line, sizeof line, rollup)) sscanf(line, "Anonymous: %ld kB", &kibibytes);
    if (rollup) fclose(rollup);
  }
  close(input[0]), close(input[1]), close(ready[0]);
  if (pid > 0) waitpid(pid, NULL, 0);
  return kibibytes;
}
