// Attention over the paged cache: against softmax in f64 over the numbers that the cache holds, chunked and whole.

#include "../../Sources/CKernels/vector_types.h"
#include "check.h"

typedef struct shape {
    cs_type type;
    int heads, kv_heads, dim, block_size, positions, window;
    float softcap;
} shape;

typedef struct sequence {
    shape shape;
    float *q, *keys, *values;  // [positions, heads or kv_heads * dim]
    int32_t *blocks, *slots;
} sequence;

static sequence make(shape s) {
    const size_t width = (size_t)s.kv_heads * s.dim, rows = (size_t)s.positions;
    sequence made = {
        s, random_floats(rows * s.heads * s.dim, 1), random_floats(rows * width, 1), random_floats(rows * width, 1),
        zeroed(rows * 4), zeroed(rows * 4)};
    const int count = (s.positions + s.block_size - 1) / s.block_size;
    for (int b = 0; b < count; b++) made.blocks[b] = count - 1 - b;
    for (int i = 0; i < s.positions; i++)
        made.slots[i] = made.blocks[i / s.block_size] * s.block_size + i % s.block_size;
    return made;
}

static void destroy(sequence *q) {
    free(q->q), free(q->keys), free(q->values), free(q->blocks), free(q->slots);
}

/// What the cache makes of a head's row: rounded to its type, codes to a scale of the largest number.
static void as_cached(cs_type type, const float *from, int dim, double *to) {
    float largest = 0;
    for (int d = 0; d < dim; d++) largest = fmaxf(largest, fabsf(from[d]));
    const float top = type == CS_I8 ? 127.0f : 448.0f, scale = largest / top, inverse = largest > 0 ? top / largest : 0;
    for (int d = 0; d < dim; d++)
        switch (type) {
        case CS_F32: to[d] = from[d]; break;
        case CS_BF16: to[d] = cs_bf16_to_f32(cs_f32_to_bf16(from[d])); break;
        case CS_F16: to[d] = cs_f16_to_f32(cs_f32_to_f16(from[d])); break;
        case CS_I8: to[d] = (double)scale * rintf(from[d] * inverse); break;
        default: to[d] = (double)scale * cs_f8_to_f32(cs_f32_to_f8(from[d] * inverse));
        }
}

/// One query of one head, by the definition.
static void attend(const sequence *s, int position, int head, double *out) {
    const shape *h = &s->shape;
    const int dim = h->dim, kv = head / (h->heads / h->kv_heads), width = h->kv_heads * dim;
    const float *q = s->q + ((size_t)position * h->heads + head) * dim;
    double row[CS_MAX_HEAD_DIM], total = 0;
    memset(out, 0, (size_t)dim * sizeof *out);
    for (int j = 0; j <= position; j++) {
        if (h->window > 0 && position - j >= h->window) continue;
        double score = 0;
        as_cached(h->type, s->keys + (size_t)j * width + kv * dim, dim, row);
        for (int d = 0; d < dim; d++) score += q[d] * row[d];
        score /= sqrt(dim);
        if (h->softcap > 0) score = h->softcap * tanh(score / h->softcap);
        const double weight = exp(score);
        total += weight;
        as_cached(h->type, s->values + (size_t)j * width + kv * dim, dim, row);
        for (int d = 0; d < dim; d++) out[d] += weight * row[d];
    }
    for (int d = 0; d < dim; d++) out[d] /= total;
}

/// Stores and attends in chunks of so many positions.
static void run(cs_context *context, const sequence *s, int chunk, float *out) {
    const shape *h = &s->shape;
    const size_t width = (size_t)h->kv_heads * h->dim, wide = (size_t)h->heads * h->dim;
    const size_t bytes = cs_kv_block_bytes(h->type, h->kv_heads, h->dim, h->block_size);
    const int blocks = (h->positions + h->block_size - 1) / h->block_size;
    cs_kv_layer layer = {zeroed((size_t)blocks * bytes), h->type, h->kv_heads, h->dim, h->block_size};
    memset(layer.base, 0xff, (size_t)blocks * bytes);
    for (int first = 0; first < h->positions; first += chunk) {
        const int rows = h->positions - first < chunk ? h->positions - first : chunk;
        cs_kv_store(context, &layer, s->keys + first * width, s->values + first * width, width, s->slots + first, rows);
        cs_attention_entry entry = {0, rows, first, s->blocks};
        cs_attention_args args = {
            s->q + first * wide, wide, out + first * wide, wide, layer, h->heads, 1 / sqrtf((float)h->dim), h->softcap,
            h->window, &entry, 1};
        cs_attention(context, &args);
    }
    free(layer.base);
}

static void check(const levels *levels, shape h) {
    sequence s = make(h);
    const size_t count = (size_t)h.positions * h.heads * h.dim;
    double *sums = zeroed(count * sizeof *sums);
    float *whole = zeroed(count * 4), *parts = zeroed(count * 4);
    for (int i = 0; i < h.positions; i++)
        for (int head = 0; head < h.heads; head++) attend(&s, i, head, sums + ((size_t)i * h.heads + head) * h.dim);
    for (int l = 0; l < levels->count; l++) {
        const cs_isa isa = cs_context_isa(levels->contexts[l]);
        const bool rounds = rounds_to_bf16(isa) && (h.type == CS_BF16 || h.type == CS_I8 || h.type == CS_F8);
        char what[96];
        snprintf(what, sizeof what, "attention type %d, %d over %d heads of %d, blocks of %d, %d positions", h.type, h.heads,
                 h.kv_heads, h.dim, h.block_size, h.positions);
        run(levels->contexts[l], &s, h.positions, whole);
        // One bf16 term for queries and weights (docs/design/0008): 2^-9 of each; values and keys are at most 1.
        expect_near(what, isa, whole, sums, count, rounds ? 8e-3 : 1e-5);
        run(levels->contexts[l], &s, 7, parts);
        expect_equal(what, isa, parts, whole, count);
    }
    free(sums), free(whole), free(parts);
    destroy(&s);
}

void check_attention(const levels *levels) {
    for (cs_type type = CS_F32; type <= CS_F8; type++) {
        if (type == CS_I4) continue;
        check(levels, (shape){type, 6, 2, 64, 16, 83, 0, 0});
        check(levels, (shape){type, 4, 4, 32, 32, 150, 40, 0});
        check(levels, (shape){type, 3, 1, 20, 5, 70, 0, 3});
    }
    check(levels, (shape){CS_BF16, 2, 1, 16, 16, 600, 0, 0});
}
