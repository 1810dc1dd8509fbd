// Writes to the paged cache: rounding keys and values to the cache's type and laying them out for attention.

#define CS_BODY "cache_body.h"
#include "attention.h"

#include "every_isa.h"

void cs_fill_cache(cs_kernels *kernels, cs_isa isa) { kernels->encode = CS_PICK(isa, encode); }

size_t cs_kv_block_bytes(cs_type type, int kv_heads, int head_dim, int block_size) {
    size_t numbers = 2 * (size_t)block_size * (size_t)head_dim * cs_type_bytes(type);
    size_t scales = cs_kv_has_scales(type) ? 2 * (size_t)block_size * sizeof(float) : 0;
    return (size_t)kv_heads * ((numbers + 3) / 4 * 4 + scales);
}

typedef struct store_job {
    const cs_kernels *kernels;
    const cs_kv_layer *layer;
    const float *keys, *values;
    size_t stride;
    const int32_t *slots;
} store_job;

/// Numbers of a row of keys lie block_size apart, in bf16 as pairs.
static void place_key(const cs_kv_layer *layer, const char *row, char *keys, int slot) {
    const size_t size = (size_t)layer->block_size, number = cs_type_bytes(layer->type);
    const size_t run = layer->type == CS_BF16 ? 2 * number : number;
    const size_t runs = (size_t)layer->head_dim * number / run;
    char *to = keys + (size_t)slot * run;
    switch (run) {
    case 1: for (size_t i = 0; i < runs; i++) to[i * size] = row[i]; break;
    case 2: for (size_t i = 0; i < runs; i++) memcpy(to + i * size * 2, row + i * 2, 2); break;
    default: for (size_t i = 0; i < runs; i++) memcpy(to + i * size * 4, row + i * 4, 4); break;
    }
}

/// A row of values stays together; in bf16, beside its neighbour number by number.
static void place_value(const cs_kv_layer *layer, const char *row, char *values, int slot) {
    const size_t dim = (size_t)layer->head_dim;
    if (layer->type != CS_BF16) {
        memcpy(values + (size_t)slot * dim * cs_type_bytes(layer->type), row, dim * cs_type_bytes(layer->type));
        return;
    }
    char *to = values + (size_t)(slot / 2) * dim * 4 + slot % 2 * 2;
    for (size_t d = 0; d < dim; d++) memcpy(to + d * 4, row + d * 2, 2);
}

static void store_row(const store_job *job, int row) {
    const cs_kv_layer *layer = job->layer;
    const int dim = layer->head_dim, slot = job->slots[row] % layer->block_size;
    const size_t part = cs_kv_part_bytes(layer), bytes = (size_t)dim * cs_type_bytes(layer->type);
    char narrow[CS_MAX_HEAD_DIM * sizeof(float) + CS_RUN];
    for (int h = 0; h < layer->kv_heads; h++) {
        char *head = cs_kv_head(layer, job->slots[row] / layer->block_size, h);
        float *scales = (float *)(void *)(head + cs_kv_scale_offset(layer));
        for (int half = 0; half < 2; half++) {
            const float *from = (half ? job->values : job->keys) + (size_t)row * job->stride + (size_t)h * dim;
            if (cs_kv_has_scales(layer->type))
                scales[half * layer->block_size + slot] = job->kernels->encode(layer->type, from, dim, (uint8_t *)narrow);
            else
                job->kernels->narrow(layer->type, from, dim, narrow);
            char *to = head + (half ? part : 0);
            if (!cs_kv_in_runs(layer)) memcpy(to + (size_t)slot * bytes, narrow, bytes);
            else if (half) place_value(layer, narrow, to, slot);
            else place_key(layer, narrow, to, slot);
        }
    }
}

static void store_rows(void *opaque, int thread, int first, int last) {
    (void)thread;
    for (int r = first; r < last; r++) store_row(opaque, r);
}

void cs_kv_store(
    cs_context *context, const cs_kv_layer *layer, const float *keys, const float *values, size_t stride,
    const int32_t *slots, int rows) {
    store_job job = {&context->kernels, layer, keys, values, stride, slots};
    cs_spread(context, store_rows, &job, rows, (long)rows * layer->kv_heads * layer->head_dim * 4);
}
