// Attention over the paged cache: the cache's writes and the split of a batch into (request, KV head, query rows) items.

#define CS_BODY "attention_body.h"
#include "table.h"

#include "every_isa.h"

void cs_fill_attention(cs_kernels *kernels, cs_isa isa) {
    kernels->attention_block = CS_PICK(isa, attention_block);
}

// MARK: Writing

typedef struct store_job {
    const cs_kernels *kernels;
    const cs_kv_layer *layer;
    const float *keys, *values;
    size_t stride;
    const int32_t *slots;
} store_job;

/// One row's keys go apart by block_size, one row's values stay together.
static void store_row(const store_job *job, int row, char *block, int slot) {
    const cs_kv_layer *layer = job->layer;
    const int dim = layer->head_dim;
    const size_t bytes = cs_type_bytes(layer->type), head = (size_t)layer->block_size * dim * bytes;
    char narrow[CS_MAX_HEAD_DIM * sizeof(float)];
    for (int h = 0; h < layer->kv_heads; h++) {
        size_t from = (size_t)row * job->stride + (size_t)h * dim;
        job->kernels->narrow(layer->type, job->keys + from, dim, narrow);
        char *keys = block + h * head + slot * bytes;
        for (int d = 0; d < dim; d++) memcpy(keys + (size_t)d * layer->block_size * bytes, narrow + d * bytes, bytes);
        char *values = block + (layer->kv_heads + h) * head + (size_t)slot * dim * bytes;
        job->kernels->narrow(layer->type, job->values + from, dim, values);
    }
}

static void store_rows(void *opaque, int thread, int first, int last) {
    (void)thread;
    const store_job *job = opaque;
    const cs_kv_layer *layer = job->layer;
    size_t block_bytes =
        2 * (size_t)layer->kv_heads * layer->block_size * layer->head_dim * cs_type_bytes(layer->type);
    for (int r = first; r < last; r++) {
        int block = job->slots[r] / layer->block_size;
        store_row(job, r, (char *)layer->base + (size_t)block * block_bytes, job->slots[r] % layer->block_size);
    }
}

void cs_kv_store(
    cs_context *context, const cs_kv_layer *layer, const float *keys, const float *values, size_t stride,
    const int32_t *slots, int rows) {
    store_job job = {&context->kernels, layer, keys, values, stride, slots};
    cs_spread(context, store_rows, &job, rows, (long)rows * layer->kv_heads * layer->head_dim * 4);
}

// MARK: Reading

typedef struct attention_job {
    cs_context *context;
    const cs_attention_args *args;
} attention_job;

/// Items of one entry: its query rows (each query times the heads of a group) in runs of 48, for each KV head.
static int blocks_of(const cs_attention_args *args, const cs_attention_entry *entry) {
    int rows = entry->rows * (args->heads / args->layer.kv_heads);
    return (rows + CS_QUERY_ROWS - 1) / CS_QUERY_ROWS;
}

static void attention_items(void *opaque, int thread, int first, int last) {
    const attention_job *job = opaque;
    const cs_attention_args *args = job->args;
    cs_scratch *scratch = &job->context->scratch[thread];
    int item = 0;
    for (int e = 0; e < args->entry_count && item < last; e++) {
        const cs_attention_entry *entry = &args->entries[e];
        int blocks = blocks_of(args, entry), all = entry->rows * (args->heads / args->layer.kv_heads);
        int end = item + blocks * args->layer.kv_heads;
        for (int i = item > first ? item : first; i < end && i < last; i++) {
            int row = (i - item) % blocks * CS_QUERY_ROWS;
            int count = all - row < CS_QUERY_ROWS ? all - row : CS_QUERY_ROWS;
            job->context->kernels.attention_block(args, entry, (i - item) / blocks, row, count, scratch->floats);
        }
        item = end;
    }
}

void cs_attention(cs_context *context, const cs_attention_args *args) {
    int items = 0;
    long work = 0;
    for (int e = 0; e < args->entry_count; e++) {
        const cs_attention_entry *entry = &args->entries[e];
        items += blocks_of(args, entry) * args->layer.kv_heads;
        work += (long)entry->rows * (entry->first_position + entry->rows) * args->heads * args->layer.head_dim / 8;
    }
    attention_job job = {context, args};
    cs_spread(context, attention_items, &job, items, work);
}
