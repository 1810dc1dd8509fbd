// Products with weights made of codes: the split into items, and the embedding look-up.
//
// An item is a chunk of rows times one panel over the whole inner dimension. A thread quantises a chunk's x once and keeps
// it while it works on the chunk's panels.

#define CS_BODY "codes_body.h"
#define CS_WITH_BYTE_DOTS
#include "codes.h"

#include "every_isa.h"

#if defined(__x86_64__)
#include "codes_amx.h"
#endif

void cs_fill_codes(cs_kernels *kernels, cs_isa isa) {
    kernels->codes_prepare = CS_PICK_BYTE_TILES(isa, codes_prepare);
    kernels->codes_panel = CS_PICK_BYTE_TILES(isa, codes_panel);
    kernels->float_panel = CS_PICK_BYTES(isa, float_panel);
}

typedef struct codes_job {
    const cs_linear_args *args;
    cs_context *context;
    uint64_t product;
    int panels;
    int chunk_rows;
} codes_job;

/// The room stands at the scratch's start, the chunk's tiles behind it.
enum { TILES_AT = (sizeof(cs_code_room) + 63) / 64 * 64 };

static void codes_items(void *opaque, int thread, int first, int last) {
    const codes_job *job = opaque;
    const cs_kernels *kernels = &job->context->kernels;
    cs_scratch *scratch = &job->context->scratch[thread];
    cs_code_room *room = (cs_code_room *)(void *)scratch->floats;
    char *tiles = (char *)scratch->floats + TILES_AT;
    for (int item = first; item < last; item++) {
        int chunk = item / job->panels, panel = item % job->panels;
        int row = chunk * job->chunk_rows;
        int left = job->args->rows - row;
        int count = left < job->chunk_rows ? left : job->chunk_rows;
        if (job->args->format.type == CS_F8) {
            kernels->float_panel(job->args, panel, row, count, room);
            continue;
        }
        if (scratch->product != job->product || scratch->chunk != chunk) {
            kernels->codes_prepare(job->args, row, count, tiles);
            scratch->product = job->product;
            scratch->chunk = chunk;
        }
        kernels->codes_panel(job->args, panel, row, count, tiles, room);
    }
    if (job->args->format.type == CS_F8) scratch->product = 0;
}

/// Rows whose quantised x fits behind the room; whole tiles where possible.
static int rows_per_chunk(const cs_linear_args *args) {
    size_t fit = (CS_SCRATCH_BYTES - TILES_AT) / cs_tile_layout_of(args).row_bytes;
    size_t tile = (size_t)cs_code_tile(args->format);
    if (fit >= CS_CHUNK_ROWS || args->format.type == CS_F8) return CS_CHUNK_ROWS;
    return fit >= tile ? (int)(fit / tile * tile) : fit > 0 ? (int)fit : 1;
}

void cs_linear_codes(cs_context *context, const cs_linear_args *args) {
    int chunk_rows = rows_per_chunk(args);
    int panels = (args->outputs + CS_PANEL - 1) / CS_PANEL;
    int chunks = (args->rows + chunk_rows - 1) / chunk_rows;
    codes_job job = {args, context, atomic_fetch_add(&context->products, 1) + 1, panels, chunk_rows};
    cs_spread(context, codes_items, &job, panels * chunks, (long)panels * args->inputs * (args->rows + 16));
}

float cs_code_value(cs_format format, const void *packed, size_t columns, size_t row, size_t column) {
    const char *panel = (const char *)packed + row / CS_PANEL * cs_panel_bytes(format, columns);
    size_t lane = row % CS_PANEL, padded = (columns + 7) / 8 * 8;
    size_t bytes = CS_PANEL * padded / (format.type == CS_I4 ? 2 : 1);
    size_t group = format.group > 0 ? column / (size_t)format.group : 0;
    const char *scale = panel + bytes + (group * CS_PANEL + lane) * cs_type_bytes(format.scale_type);
    const char *minimum = scale + CS_PANEL * cs_format_groups(format, columns) * cs_type_bytes(format.scale_type);
    uint8_t code;
    if (format.type == CS_I4) {
        code = (uint8_t)panel[column / 8 * 4 * CS_PANEL + lane * 4 + column % 4];
        code = column % 8 < 4 ? code & 15 : code >> 4;
    } else {
        code = (uint8_t)panel[column / 4 * 4 * CS_PANEL + lane * 4 + column % 4];
    }
    cs_format one = {format.type, 0, CS_F32, format.has_minimums};
    float s, m = 0, value;
    cs_widen(format.scale_type, scale, 1, &s);
    if (format.has_minimums) cs_widen(format.scale_type, minimum, 1, &m);
    cs_dequantize_row(one, &code, &s, &m, 1, &value);
    return value;
}
