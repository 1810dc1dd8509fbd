// First touches: a system gives a page when it is first written, and a machine of a host may wait for that host's page too.

#if defined(__linux__)
#include <sys/resource.h>
#endif

#include "CKernels.h"

void cs_touch(void *memory, size_t bytes) {
    enum { page = 4096 };
    char *from = memory;
    for (size_t at = 0; at < bytes; at += page) {
        // What is there is written over itself, unless others write meanwhile. Not by adding no bit: compilers make that a
        // load, and a load gets the one page of zeros that all share.
        char there = __atomic_load_n(from + at, __ATOMIC_RELAXED);
        __atomic_compare_exchange_n(from + at, &there, there, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    }
}

void cs_stand_back(void) {
#if defined(__linux__)
    enum { niceness = 10 };
    setpriority(PRIO_PROCESS, 0, niceness);  // of this thread alone, on Linux
#endif
}
