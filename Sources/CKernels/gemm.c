// Products with packed weights: packing, the split of a product into items, and the embedding look-up.
//
// An item is a chunk of rows times one panel of 64 output features over the whole inner dimension, so the split changes
// no sum. A thread rounds a chunk's x once and keeps it while it works on the chunk's panels.

#define CS_BODY "gemm_body.h"
#include "table.h"

#include "every_isa.h"

void cs_fill_gemm(cs_kernels *kernels, cs_isa isa) {
    kernels->linear_prepare = CS_PICK(isa, linear_prepare);
    kernels->linear_panel = CS_PICK(isa, linear_panel);
}

size_t cs_type_bytes(cs_type type) { return type == CS_F32 ? 4 : type == CS_F8 || type == CS_I8 ? 1 : 2; }

static size_t padded_columns(cs_type type, size_t columns) {
    return type == CS_BF16 ? (columns + 1) / 2 * 2 : columns;
}

size_t cs_packed_bytes(cs_type type, size_t rows, size_t columns) {
    return (rows + CS_PANEL - 1) / CS_PANEL * CS_PANEL * padded_columns(type, columns) * cs_type_bytes(type);
}

static float read_one(const char *from, cs_type type) {
    if (type == CS_F32) {
        float value;
        memcpy(&value, from, 4);
        return value;
    }
    uint16_t bits;
    memcpy(&bits, from, 2);
    return type == CS_BF16 ? cs_bf16_to_f32(bits) : cs_f16_to_f32(bits);
}

void cs_widen(cs_type type, const void *from, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) out[i] = read_one((const char *)from + i * cs_type_bytes(type), type);
}

/// Where [row, column] stands in a packed matrix, in numbers.
static size_t packed_index(cs_type type, size_t columns, size_t row, size_t column) {
    size_t panel = row / CS_PANEL * CS_PANEL * padded_columns(type, columns);
    size_t lane = row % CS_PANEL;
    if (type == CS_BF16) return panel + column / 2 * 2 * CS_PANEL + lane * 2 + column % 2;
    return panel + column * CS_PANEL + lane;
}

static void pack_one(cs_type type, char *to, const char *from, cs_type source_type) {
    size_t bytes = cs_type_bytes(type);
    if (type == source_type) {
        memcpy(to, from, bytes);
        return;
    }
    float value = read_one(from, source_type);
    uint16_t half = type == CS_BF16 ? cs_f32_to_bf16(value) : cs_f32_to_f16(value);
    memcpy(to, type == CS_F32 ? (const void *)&value : (const void *)&half, bytes);
}

/// Both types are constants where this is inlined, so the inner loop is a plain transposed copy.
CS_INLINE void pack_rows(
    const cs_type type, char *packed, size_t first_row, size_t columns, const char *source, const cs_type source_type,
    size_t stride, size_t count) {
    enum { run = 32 };
    for (size_t block = 0; block < count;) {
        size_t rows = CS_PANEL - (first_row + block) % CS_PANEL;
        if (rows > count - block) rows = count - block;
        for (size_t k = 0; k < columns; k += run) {
            size_t last = k + run < columns ? k + run : columns;
            for (size_t r = block; r < block + rows; r++) {
                const char *from = source + r * stride * cs_type_bytes(source_type);
                for (size_t c = k; c < last; c++)
                    pack_one(
                        type, packed + packed_index(type, columns, first_row + r, c) * cs_type_bytes(type),
                        from + c * cs_type_bytes(source_type), source_type);
            }
        }
        block += rows;
    }
}

void cs_pack_rows(
    cs_type type, void *packed, size_t first_row, size_t columns, const void *source, cs_type source_type, size_t stride,
    size_t count) {
#define CS_PAIR(to, from) \
    if (type == to && source_type == from) pack_rows(to, packed, first_row, columns, source, from, stride, count)
    CS_PAIR(CS_F32, CS_F32);
    CS_PAIR(CS_F32, CS_BF16);
    CS_PAIR(CS_F32, CS_F16);
    CS_PAIR(CS_BF16, CS_F32);
    CS_PAIR(CS_BF16, CS_BF16);
    CS_PAIR(CS_BF16, CS_F16);
    CS_PAIR(CS_F16, CS_F32);
    CS_PAIR(CS_F16, CS_BF16);
    CS_PAIR(CS_F16, CS_F16);
#undef CS_PAIR
}

typedef struct pack_job {
    cs_type type, source_type;
    char *packed;
    const char *source;
    size_t first_row, columns, stride, count;
} pack_job;

static void pack_items(void *opaque, int thread, int first, int last) {
    (void)thread;
    const pack_job *job = opaque;
    size_t from = (size_t)first * CS_PANEL, to = (size_t)last * CS_PANEL;
    if (to > job->count) to = job->count;
    cs_pack_rows(
        job->type, job->packed, job->first_row + from, job->columns,
        job->source + from * job->stride * cs_type_bytes(job->source_type), job->source_type, job->stride, to - from);
}

void cs_pack(
    cs_context *context, cs_type type, void *packed, size_t first_row, size_t columns, const void *source,
    cs_type source_type, size_t stride, size_t count) {
    pack_job job = {type, source_type, packed, source, first_row, columns, stride, count};
    cs_spread(context, pack_items, &job, (int)((count + CS_PANEL - 1) / CS_PANEL), (long)(count * columns));
}

// MARK: Embedding

typedef struct embed_job {
    cs_format format;
    const void *packed;
    int row_count, columns, first_row;
    const int32_t *rows;
    float scale;
    float *out;
    size_t out_stride;
} embed_job;

static void embed_rows(void *opaque, int thread, int first, int last) {
    (void)thread;
    const embed_job *job = opaque;
    const cs_type type = job->format.type;
    const size_t columns = (size_t)job->columns;
    for (int i = first; i < last; i++) {
        float *out = job->out + i * job->out_stride;
        int row = job->rows[i] - job->first_row;
        if (row < 0 || row >= job->row_count) {
            memset(out, 0, (size_t)job->columns * sizeof(float));
            continue;
        }
        for (size_t c = 0; c < columns; c++) {
            size_t at = packed_index(type, columns, (size_t)row, c) * cs_type_bytes(type);
            out[c] = job->scale
                     * (cs_is_coded(type) ? cs_code_value(job->format, job->packed, columns, (size_t)row, c)
                                          : read_one((const char *)job->packed + at, type));
        }
    }
}

void cs_embed(
    cs_context *context, cs_format format, const void *packed, int row_count, int columns, const int32_t *rows,
    int first_row, int count, float scale, float *out, size_t out_stride) {
    embed_job job = {format, packed, row_count, columns, first_row, rows, scale, out, out_stride};
    cs_spread(context, embed_rows, &job, count, (long)count * columns * 8);
}

// MARK: Product

typedef struct linear_job {
    const cs_linear_args *args;
    cs_context *context;
    uint64_t product;
    int panels;
    int chunk_rows;
} linear_job;

static void linear_items(void *opaque, int thread, int first, int last) {
    const linear_job *job = opaque;
    cs_scratch *scratch = &job->context->scratch[thread];
    const cs_kernels *kernels = &job->context->kernels;
    for (int item = first; item < last; item++) {
        int chunk = item / job->panels;
        int row = chunk * job->chunk_rows;
        int left = job->args->rows - row;
        int count = left < job->chunk_rows ? left : job->chunk_rows;
        if (scratch->product != job->product || scratch->chunk != chunk) {
            kernels->linear_prepare(job->args, row, count, scratch->floats);
            scratch->product = job->product;
            scratch->chunk = chunk;
        }
        kernels->linear_panel(job->args, item % job->panels, row, count, scratch->floats);
    }
}

/// Rows whose rounded x fits a thread's scratch; whole row tiles where possible.
static int rows_per_chunk(const cs_linear_args *args) {
    size_t fit = CS_SCRATCH_BYTES / (cs_rounded_row_bytes(args) + 1);
    if (fit >= CS_CHUNK_ROWS) return CS_CHUNK_ROWS;
    if (fit >= CS_ROW_TILE) return (int)(fit / CS_ROW_TILE * CS_ROW_TILE);
    return fit > 0 ? (int)fit : 1;
}

void cs_linear(cs_context *context, const cs_linear_args *args) {
    if (args->rows <= 0 || args->outputs <= 0) return;
    if (cs_is_coded(args->format.type)) {
        cs_linear_codes(context, args);
        return;
    }
    int chunk_rows = rows_per_chunk(args);
    int panels = (args->outputs + CS_PANEL - 1) / CS_PANEL;
    int chunks = (args->rows + chunk_rows - 1) / chunk_rows;
    linear_job job = {args, context, atomic_fetch_add(&context->products, 1) + 1, panels, chunk_rows};
    cs_spread(context, linear_items, &job, panels * chunks, (long)panels * args->inputs * (args->rows + 16));
}
