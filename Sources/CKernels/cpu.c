// The context: an instruction set bound to threads and scratch.

#include <limits.h>
#include <stdlib.h>

#include "table.h"

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
