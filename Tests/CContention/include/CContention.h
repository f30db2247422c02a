// Agents that contend for one lock at full speed, for tests of the reaper: in C, for the race is
// a microsecond wide and must be met a hundred thousand times.
#ifndef CCONTENTION_H
#define CCONTENTION_H

#include <stdatomic.h>

struct contention;

// Starts two agents that take `path` by O_EXCL and then release it or leave it behind, dated two hours
// back, and a third that brings locks left behind to life for a moment.
struct contention *contention_start(const char *path);
// Waits until the lock is there and an hour old. In C too: each error that Swift throws in a test costs a backtrace.
void contention_await_stale(const struct contention *);
// Stops them and waits for them.
void contention_stop(struct contention *);
// How often an agent took the lock while the other held it.
long contention_double_owners(const struct contention *);
// How often an agent found its lock gone, or another's for good, before it released it.
long contention_lost(const struct contention *);
// How often the lock was taken.
long contention_taken(const struct contention *);
void contention_free(struct contention *);
#endif
