#define _GNU_SOURCE
#include "CContention.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct contention {
  char path[4096];
  atomic_bool stop;
  atomic_long owner, taken, doubles, lost;
  atomic_int next;
  pthread_t agents[2], refresher;
};

static void spin(unsigned count) { for (volatile unsigned i = 0; i < count; i++) {} }

// Lets the others run: two cores have four to serve.
static void give_way(void) {
  struct timespec moment = {0, 1};
  nanosleep(&moment, NULL);
}

static void date(int fd, long seconds_back) {
  struct timespec times[2];
  clock_gettime(CLOCK_REALTIME, &times[0]);
  times[0].tv_sec -= seconds_back;
  times[1] = times[0];
  futimens(fd, times);
}

// Whether the name still leads to the agent's own lock. A placeholder may stand there for a moment, where
// a fresh lock was captured and is put back; nothing else may.
static int still_there(const char *path, ino_t own) {
  struct stat now;
  for (int tries = 0; tries < 100000; tries++) {
    if (stat(path, &now) == 0 && now.st_ino == own) return 1;
    give_way();
  }
  return 0;
}

static void *agent(void *argument) {
  struct contention *c = argument;
  long me = atomic_fetch_add(&c->next, 1) + 1;
  unsigned seed = (unsigned)me * 2654435761u;
  while (!atomic_load(&c->stop)) {
    int fd = open(c->path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
    if (fd < 0) { give_way(); continue; }
    atomic_fetch_add(&c->taken, 1);
    if (atomic_exchange(&c->owner, me) != 0) atomic_fetch_add(&c->doubles, 1);
    struct stat own;
    fstat(fd, &own);
    spin(rand_r(&seed) % 2000);
    if (!still_there(c->path, own.st_ino)) atomic_fetch_add(&c->lost, 1);
    int leaves = rand_r(&seed) % 4 != 0;
    long expected = me;
    if (!atomic_compare_exchange_strong(&c->owner, &expected, 0)) atomic_fetch_add(&c->doubles, 1);
    if (leaves) date(fd, 7200);
    else unlink(c->path);
    close(fd);
  }
  return NULL;
}

static void *refresher(void *argument) {
  struct contention *c = argument;
  unsigned seed = 7;
  while (!atomic_load(&c->stop)) {
    // Now and then: one that is refreshed all the time is never reaped.
    if (rand_r(&seed) % 4 != 0) { give_way(); continue; }
    int fd = open(c->path, O_RDONLY | O_CLOEXEC);
    struct stat lock;
    // By its descriptor, so that only what was left behind is ever dated back again.
    if (fd >= 0 && fstat(fd, &lock) == 0 && lock.st_mtime < time(NULL) - 3600) {
      date(fd, 0);
      spin(rand_r(&seed) % 2000);
      date(fd, 7200);
    }
    if (fd >= 0) close(fd);
    give_way();
  }
  return NULL;
}

struct contention *contention_start(const char *path) {
  struct contention *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  strncpy(c->path, path, sizeof c->path - 1);
  for (int i = 0; i < 2; i++) pthread_create(&c->agents[i], NULL, agent, c);
  pthread_create(&c->refresher, NULL, refresher, c);
  return c;
}

void contention_await_stale(const struct contention *c) {
  struct stat lock;
  while (stat(c->path, &lock) != 0 || lock.st_mtime >= time(NULL) - 3600) give_way();
}

void contention_stop(struct contention *c) {
  atomic_store(&c->stop, 1);
  for (int i = 0; i < 2; i++) pthread_join(c->agents[i], NULL);
  pthread_join(c->refresher, NULL);
}

long contention_double_owners(const struct contention *c) { return atomic_load(&c->doubles); }
long contention_lost(const struct contention *c) { return atomic_load(&c->lost); }
long contention_taken(const struct contention *c) { return atomic_load(&c->taken); }
void contention_free(struct contention *c) { free(c); }
