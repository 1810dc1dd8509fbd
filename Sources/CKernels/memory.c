// First touches: a system gives a page when it is first written, and a machine of a host may wait for that host's page too.

#if defined(__linux__)
#include <sys/resource.h>
#endif

#include "CKernels.h"

void cs_touch(void *memory, size_t bytes) {
    enum { page = 4096 };
    char *from = memory;
    // Adding no bit leaves what others write meanwhile as it is.
    for (size_t at = 0; at < bytes; at += page) __atomic_fetch_or(from + at, 0, __ATOMIC_RELAXED);
}

void cs_stand_back(void) {
#if defined(__linux__)
    enum { niceness = 10 };
    setpriority(PRIO_PROCESS, 0, niceness);  // of this thread alone, on Linux
#endif
}
