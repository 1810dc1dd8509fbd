// Products with packed weights: the split of a product into items, and the embedding look-up.
//
// An item is a chunk of rows times one panel of 64 output features over the whole inner dimension, so the split changes
// no sum. A thread rounds a chunk's x once and keeps it while it works on the chunk's panels.

#define CS_BODY "gemm_body.h"
#define CS_WITH_BF16_DOTS
#include "table.h"

#include "every_isa.h"

#if defined(__x86_64__)
#include "gemm_amx.h"
#endif

void cs_fill_gemm(cs_kernels *kernels, cs_isa isa) {
    kernels->linear_prepare = CS_PICK_TILES(isa, linear_prepare);
    kernels->linear_panel = CS_PICK_TILES(isa, linear_panel);
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
        for (size_t c = 0; c < columns; c++)
            out[c] = job->scale
                     * (cs_is_coded(type) ? cs_code_value(job->format, job->packed, columns, (size_t)row, c)
                                          : cs_plain_value(type, job->packed, columns, (size_t)row, c));
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

/// Rows of a chunk: even chunks, whose rounded x fits a thread's scratch, of whole row tiles of vectors and of AMX where
/// possible. (128 rows are 64 64, not 96 32, so that two threads have as much to do.)
static int rows_per_chunk(const cs_linear_args *args) {
    enum { step = 16 };
    size_t fit = CS_SCRATCH_BYTES / (cs_rounded_row_bytes(args) + 1);
    if (fit < step) return fit > 0 ? (int)fit : 1;
    int most = fit < CS_CHUNK_ROWS ? (int)(fit / step * step) : CS_CHUNK_ROWS;
    int chunks = (args->rows + most - 1) / most;
    int even = ((args->rows + chunks - 1) / chunks + step - 1) / step * step;
    return even < most ? even : most;
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
