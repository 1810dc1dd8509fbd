// Which instruction sets this machine runs, and the context that binds one of them to threads and scratch.

#include <limits.h>
#include <stdlib.h>

#include "table.h"

bool cs_isa_supported(cs_isa isa) {
    switch (isa) {
    case CS_ISA_PORTABLE: return true;
#if defined(__x86_64__)
    case CS_ISA_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    case CS_ISA_AVX512:
        return cs_isa_supported(CS_ISA_AVX2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
               && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    case CS_ISA_AVX512_BF16:
        return cs_isa_supported(CS_ISA_AVX512) && __builtin_cpu_supports("avx512bf16")
               && __builtin_cpu_supports("avx512vnni");
#elif defined(__aarch64__)
    case CS_ISA_NEON: return true;
#endif
    default: return false;
    }
}

cs_isa cs_isa_best(void) {
    static const cs_isa order[] = {CS_ISA_AVX512_BF16, CS_ISA_AVX512, CS_ISA_AVX2, CS_ISA_NEON};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (cs_isa_supported(order[i])) return order[i];
    return CS_ISA_PORTABLE;
}

const char *cs_isa_name(cs_isa isa) {
    static const char *const names[CS_ISA_COUNT] = {"portable", "avx2", "avx512", "avx512bf16", "neon"};
    return isa >= 0 && isa < CS_ISA_COUNT ? names[isa] : "unknown";
}

size_t cs_context_bytes(int threads) { return (size_t)threads * CS_SCRATCH_BYTES; }

static void fill(cs_kernels *kernels, cs_isa isa) {
    cs_fill_gemm(kernels, isa);
    cs_fill_codes(kernels, isa);
    cs_fill_attention(kernels, isa);
    cs_fill_norm(kernels, isa);
    cs_fill_activation(kernels, isa);
    cs_fill_elementwise(kernels, isa);
}

cs_context *cs_context_create(int threads, cs_isa isa) {
    if (threads < 1 || !cs_isa_supported(isa)) return NULL;
    cs_context *context = calloc(1, sizeof *context);
    if (!context) return NULL;
    pthread_mutex_init(&context->turn, NULL);
    context->isa = isa;
    context->threads = threads;
    context->scratch = calloc((size_t)threads, sizeof *context->scratch);
    context->memory = aligned_alloc(64, cs_context_bytes(threads));
    context->pool = cs_pool_create(threads);
    if (!context->scratch || !context->memory || !context->pool) {
        cs_context_destroy(context);
        return NULL;
    }
    for (int i = 0; i < threads; i++)
        context->scratch[i].floats = (float *)(context->memory + (size_t)i * CS_SCRATCH_BYTES);
    fill(&context->kernels, isa);
    return context;
}

void cs_context_destroy(cs_context *context) {
    if (!context) return;
    cs_pool_destroy(context->pool);
    pthread_mutex_destroy(&context->turn);
    free(context->memory);
    free(context->scratch);
    free(context);
}

bool cs_context_pin(cs_context *context, const int *cores, int count) {
    return count >= context->threads && cs_pool_pin(context->pool, cores);
}

int cs_context_threads(const cs_context *context) { return context->threads; }
cs_isa cs_context_isa(const cs_context *context) { return context->isa; }

void cs_spread(cs_context *context, cs_job job, void *job_context, int items, long work) {
    enum { worth_a_hand_over = 32768 };
    if (items <= 0) return;
    pthread_mutex_lock(&context->turn);
    if (context->threads == 1 || items == 1 || work < worth_a_hand_over) {
        job(job_context, 0, 0, items);
    } else {
        cs_pool_run(context->pool, job, job_context, items, 1);
    }
    pthread_mutex_unlock(&context->turn);
}

void cs_context_run(cs_context *context, cs_job job, void *job_context, int items) {
    cs_spread(context, job, job_context, items, LONG_MAX);
}
