// What the benchmarks need from C: the reference that each figure is a ratio to, written as plainly as C
// allows, and a count of allocations. Linked into nothing that is released.
#ifndef MIDWATCH_CBENCH_H
#define MIDWATCH_CBENCH_H

#include <stddef.h>

// Allocations of the calling thread since it began; always 0 where the program is linked dynamically, for
// only a static link sends the Swift runtime's own calls through the wrappers.
unsigned long bench_allocations(void);

// CPU time of the calling thread in nanoseconds.
long bench_cpu(void);

// A directory of its own in $TMPDIR; NULL where none can be made. The next call reuses the memory.
const char *bench_make_directory(void);
// Every call that makes or removes files answers how many calls failed.
int bench_make_subdirectory(const char *parent, const char *name);
int bench_create(const char *directory, const char *prefix, int first, int count);
int bench_rename(const char *directory, const char *prefix, const char *to, const char *new_prefix, int first, int count);
int bench_unlink(const char *directory, const char *prefix, int first, int count);
int bench_unlink_one(const char *directory, const char *name);
int bench_touch(const char *directory, const char *name);
int bench_remove_directory(const char *path);

// Reference: an inotify queue that is read and decoded, and nothing else. Returns the descriptor, or -1.
int bench_watch(const char *directory);
// Reads until the queue is empty. Returns the number of records, or -1.
long bench_drain(int queue);
void bench_close(int queue);

// Reference: getdents64 over one directory. Returns the number of names, or -1.
long bench_list(const char *directory);

// Reference: openat and read of stat of every process. Returns the number of processes, or -1.
long bench_scan_processes(void);
// Runs `program -c :` to its end, with a configuration for the gate. Returns the CPU time of it and of what it
// waited for in nanoseconds, or -1; a microsecond is the least that is told.
long bench_shell_cpu(const char *program, const char *configuration);

// What `program` holds for itself while a job of its waits: Anonymous of /proc/PID/smaps_rollup in KiB, or -1.
long bench_shell_memory(const char *program, const char *configuration);
#endif
