#include "CBench.h"

// The linker sends every call of malloc here (Package.swift: --wrap). Defining malloc itself would not do:
// the static C library brings its own.
static __thread unsigned long count;

unsigned long bench_allocations(void) { return count; }

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void *__real_aligned_alloc(size_t, size_t);
int __real_posix_memalign(void **, size_t, size_t);

void *__wrap_malloc(size_t size) { return count++, __real_malloc(size); }
void *__wrap_calloc(size_t number, size_t size) { return count++, __real_calloc(number, size); }
void *__wrap_realloc(void *memory, size_t size) { return count++, __real_realloc(memory, size); }
void *__wrap_aligned_alloc(size_t alignment, size_t size) { return count++, __real_aligned_alloc(alignment, size); }
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size) {
  return count++, __real_posix_memalign(memory, alignment, size);
}
