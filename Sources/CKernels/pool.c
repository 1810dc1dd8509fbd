// A fork-join thread pool: workers spin for a bounded time after each job, then sleep, and never delay a caller by waking.
//
// A job is open while its number stands in `open`. A worker enters by raising `inside` and looking at `open` again, so
// that the caller, who closes the job and then waits for `inside` to fall to zero, waits only for workers at work.

#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "CKernels.h"

enum { SPIN_NANOSECONDS = 30000 };

typedef struct worker {
    struct cs_pool *pool;
    pthread_t thread;
    int index;
} worker;

struct cs_pool {
    int threads;
    int started;
    worker *workers;
    cs_job job;
    void *context;
    int items;
    int grain;
    uint64_t posted;  // the caller's count of jobs
    _Alignas(64) atomic_uint_fast64_t open;
    _Alignas(64) atomic_int next;
    _Alignas(64) atomic_int inside;
    _Alignas(64) atomic_int sleepers;
    atomic_bool stopping;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
};

static inline void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void work(cs_pool *pool, int thread) {
    for (;;) {
        int first = atomic_load_explicit(&pool->next, memory_order_relaxed), last;
        do {
            int left = pool->items - first;
            if (left <= 0) return;
            int share = left / (pool->threads * 2);
            last = first + (share > pool->grain ? share : pool->grain < left ? pool->grain : left);
        } while (!atomic_compare_exchange_weak_explicit(
            &pool->next, &first, last, memory_order_relaxed, memory_order_relaxed));
        pool->job(pool->context, thread, first, last);
    }
}

/// Waits until the open job is not `seen`: spinning first, then asleep.
static void await_job(cs_pool *pool, uint64_t seen) {
    int64_t end = nanoseconds() + SPIN_NANOSECONDS;
    do {
        for (int i = 0; i < 32; i++) {
            uint64_t open = atomic_load(&pool->open);
            if ((open != 0 && open != seen) || atomic_load_explicit(&pool->stopping, memory_order_relaxed)) return;
            relax();
        }
    } while (nanoseconds() < end);
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->sleepers, 1);
    for (;;) {
        uint64_t open = atomic_load(&pool->open);
        if ((open != 0 && open != seen) || atomic_load(&pool->stopping)) break;
        pthread_cond_wait(&pool->wake, &pool->mutex);
    }
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->mutex);
}

static void *worker_main(void *argument) {
    worker *self = argument;
    cs_pool *pool = self->pool;
    uint64_t seen = 0;
    while (!atomic_load(&pool->stopping)) {
        await_job(pool, seen);
        atomic_fetch_add(&pool->inside, 1);
        uint64_t open = atomic_load(&pool->open);
        if (open != 0 && open != seen) {
            work(pool, self->index);
            seen = open;
        }
        atomic_fetch_sub(&pool->inside, 1);
    }
    return NULL;
}

static void wake_sleepers(cs_pool *pool) {
    if (atomic_load(&pool->sleepers) == 0) return;
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
}

cs_pool *cs_pool_create(int threads) {
    if (threads < 1) return NULL;
    cs_pool *pool = aligned_alloc(64, (sizeof *pool + 63) / 64 * 64);
    if (!pool) return NULL;
    *pool = (cs_pool){.threads = threads};
    pool->workers = calloc((size_t)threads, sizeof *pool->workers);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    if (!pool->workers) {
        cs_pool_destroy(pool);
        return NULL;
    }
    for (int i = 1; i < threads; i++) {
        pool->workers[i] = (worker){.pool = pool, .index = i};
        if (pthread_create(&pool->workers[i].thread, NULL, worker_main, &pool->workers[i]) != 0) {
            cs_pool_destroy(pool);
            return NULL;
        }
        pool->started = i;
    }
    return pool;
}

void cs_pool_destroy(cs_pool *pool) {
    if (!pool) return;
    atomic_store(&pool->stopping, true);
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 1; i <= pool->started; i++) pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->workers);
    free(pool);
}

bool cs_pool_pin(cs_pool *pool, const int *cores) {
#if defined(__linux__)
    bool done = true;
    for (int i = 1; i <= pool->started; i++) {
        cpu_set_t set;
        CPU_ZERO(&set);
        if (cores[i] < 0 || cores[i] >= CPU_SETSIZE) return false;
        CPU_SET(cores[i], &set);
        done &= pthread_setaffinity_np(pool->workers[i].thread, sizeof set, &set) == 0;
    }
    return done;
#else
    (void)pool, (void)cores;
    return false;
#endif
}

int cs_pool_threads(const cs_pool *pool) { return pool->threads; }

void cs_pool_run(cs_pool *pool, cs_job job, void *context, int items, int grain) {
    if (items <= 0) return;
    if (grain < 1) grain = 1;
    if (pool->threads == 1 || items <= grain) {
        job(context, 0, 0, items);
        return;
    }
    pool->job = job;
    pool->context = context;
    pool->items = items;
    pool->grain = grain;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    atomic_store(&pool->open, ++pool->posted);
    wake_sleepers(pool);
    work(pool, 0);
    atomic_store(&pool->open, 0);
    for (int spins = 0; atomic_load(&pool->inside) != 0; spins++) {
        if (spins < 4096) {
            relax();
        } else {
            sched_yield();
        }
    }
}
