// Products with bf16 weights on AMX tiles: up to 32 rows of x by a panel's 64 output features, 32 inputs at a time.
//
// The order of an element's sum is the instruction's, the same for every row of a tile: of 32 inputs the even ones in order,
// the odd ones in order, both added, then added to what the inputs before gave (Intel SDM, volume 2, TDPBF16PS). One row takes
// the same path as many, so its numbers do not depend on its company. Other types' products are AVX512_BF16's.

#include "amx.h"

#pragma clang attribute push(__attribute__((target(CS_AMX_TARGET))), apply_to = function)

/// Rounds rows of x to bf16, [row][term][pairs of inputs].
static void linear_prepare_amx(const cs_linear_args *args, int first, int count, void *rounded) {
    if (args->format.type != CS_BF16) return;
    const int inputs = args->inputs, pairs = (inputs + 1) / 2, terms = cs_rounded_terms(args);
    for (int m = 0; m < count; m++) {
        const float *x = args->x + (size_t)(first + m) * args->x_stride;
        uint32_t *to = (uint32_t *)(void *)((char *)rounded + (size_t)m * cs_rounded_row_bytes(args));
        for (int k = 0; k < inputs; k += 32) {
            int left = inputs - k < 32 ? inputs - k : 32;
            f32x16 low = left >= 16 ? load_avx512bf16(x + k) : load_some_avx512bf16(x + k, left);
            f32x16 high = left >= 32   ? load_avx512bf16(x + k + 16)
                          : left > 16 ? load_some_avx512bf16(x + k + 16, left - 16)
                                      : (f32x16)0.0f;
            for (int t = 0; t < terms; t++) {
                uint32_t pair[16];
                round_pairs_avx512bf16(&low, &high, pair);
                memcpy(to + (size_t)t * pairs + k / 2, pair, (size_t)((left + 1) / 2) * 4);
            }
        }
    }
}

/// What a block of rows multiplies: blocks of 32 inputs of x (rows `x_stride` bytes apart, a second term `term` bytes on, 0 if
/// there is none) and of a panel.
typedef struct amx_operands {
    const char *x, *weights;
    size_t x_stride, term;
    int rows, blocks;
} amx_operands;

/// Tiles 0 to 3 are sums; see amx_few and amx_many for the others.
static void amx_shape(int rows, bool many) {
    cs_tile_shapes shapes = {.palette = 1};
    const int low = rows < CS_TILE_ROWS ? rows : CS_TILE_ROWS, high = many ? rows - CS_TILE_ROWS : low;
    for (int tile = 0; tile < 4; tile++) cs_shape_tile(&shapes, tile, tile < 2 ? low : high, CS_TILE_BYTES_WIDE);
    cs_shape_tile(&shapes, 4, low, CS_TILE_BYTES_WIDE);
    cs_shape_tile(&shapes, 5, high, CS_TILE_BYTES_WIDE);
    cs_shape_tile(&shapes, 6, CS_TILE_ROWS, CS_TILE_BYTES_WIDE);
    cs_shape_tile(&shapes, 7, CS_TILE_ROWS, CS_TILE_BYTES_WIDE);
    CS_TILE_CONFIGURE(&shapes);
}

enum { AMX_PANEL_ROW = CS_PANEL * 4, AMX_PANEL_BLOCK = CS_TILE_ROWS * AMX_PANEL_ROW };

/// Sums of one row of tiles in c, which stays as it is between runs.
#define AMX_START(tile, c) \
    if (add) CS_TILE_LOAD(tile, c, AMX_PANEL_ROW); else CS_TILE_ZERO(tile)

/// Up to 16 rows by 64 columns, weights in the order of memory. Tiles: 4 and 5 the terms of x, 6 and 7 weights.
static void amx_few(const amx_operands *o, float *c, bool add) {
    AMX_START(0, c);
    AMX_START(1, c + 16);
    AMX_START(2, c + 32);
    AMX_START(3, c + 48);
    for (int b = 0; b < o->blocks; b++) {
        const char *x = o->x + (size_t)b * CS_TILE_BYTES_WIDE, *w = o->weights + (size_t)b * AMX_PANEL_BLOCK;
        CS_TILE_LOAD(4, x, o->x_stride);
        if (o->term) CS_TILE_LOAD(5, x + o->term, o->x_stride);
#define AMX_COLUMN(sum, tile)                                                 \
    CS_TILE_LOAD(tile, w + sum * CS_TILE_BYTES_WIDE, AMX_PANEL_ROW);          \
    CS_TILE_BF16(sum, 4, tile);                                               \
    if (o->term) CS_TILE_BF16(sum, 5, tile)
        AMX_COLUMN(0, 6);
        AMX_COLUMN(1, 7);
        AMX_COLUMN(2, 6);
        AMX_COLUMN(3, 7);
#undef AMX_COLUMN
    }
    CS_TILE_STORE(0, c, AMX_PANEL_ROW);
    CS_TILE_STORE(1, c + 16, AMX_PANEL_ROW);
    CS_TILE_STORE(2, c + 32, AMX_PANEL_ROW);
    CS_TILE_STORE(3, c + 48, AMX_PANEL_ROW);
}

/// 17 to 32 rows by 32 columns: each tile that is loaded serves two sums. Tiles: 4 and 5 rows of x, 6 and 7 weights.
static void amx_many(const amx_operands *o, float *c, bool add) {
    float *below = c + CS_TILE_ROWS * CS_PANEL;
    AMX_START(0, c);
    AMX_START(1, c + 16);
    AMX_START(2, below);
    AMX_START(3, below + 16);
    for (int b = 0; b < o->blocks; b++) {
        const char *x = o->x + (size_t)b * CS_TILE_BYTES_WIDE, *w = o->weights + (size_t)b * AMX_PANEL_BLOCK;
        CS_TILE_LOAD(6, w, AMX_PANEL_ROW);
        CS_TILE_LOAD(7, w + CS_TILE_BYTES_WIDE, AMX_PANEL_ROW);
        for (int t = 0; t < (o->term ? 2 : 1); t++, x += o->term) {
            CS_TILE_LOAD(4, x, o->x_stride);
            CS_TILE_LOAD(5, x + CS_TILE_ROWS * o->x_stride, o->x_stride);
            CS_TILE_BF16(0, 4, 6);
            CS_TILE_BF16(1, 4, 7);
            CS_TILE_BF16(2, 5, 6);
            CS_TILE_BF16(3, 5, 7);
        }
    }
    CS_TILE_STORE(0, c, AMX_PANEL_ROW);
    CS_TILE_STORE(1, c + 16, AMX_PANEL_ROW);
    CS_TILE_STORE(2, below, AMX_PANEL_ROW);
    CS_TILE_STORE(3, below + 16, AMX_PANEL_ROW);
}
#undef AMX_START

static void amx_rows(const amx_operands *o, float *c, bool add) {
    if (o->rows <= CS_TILE_ROWS) {
        amx_few(o, c, add);
        return;
    }
    amx_operands right = *o;
    right.weights += 2 * CS_TILE_BYTES_WIDE;
    amx_many(o, c, add);
    amx_many(&right, c + 2 * 16, add);
}

/// The last inputs, fewer than 32, with zeros behind them. Zero products change no sum.
static void amx_tail(const cs_linear_args *args, const amx_operands *o, int done, float *c, bool add) {
    char x[2 * CS_TILE_ROWS][2][CS_TILE_BYTES_WIDE] = {0}, weights[AMX_PANEL_BLOCK] = {0};
    const size_t bytes = (size_t)((args->inputs - done + 1) / 2) * 4;
    const int terms = o->term ? 2 : 1;
    for (int m = 0; m < o->rows; m++)
        for (int t = 0; t < terms; t++)
            memcpy(x[m][t], o->x + (size_t)m * o->x_stride + (size_t)t * o->term, bytes);
    memcpy(weights, o->weights, bytes * CS_PANEL);
    const amx_operands padded = {
        x[0][0], weights, sizeof x[0], terms == 2 ? CS_TILE_BYTES_WIDE : 0, o->rows, 1};
    amx_rows(&padded, c, add);
}

/// Rows first ..< first + count of one panel. A run of inputs of all 64 columns stays in the second-level cache (256 kB)
/// while all rows pass over it.
static void linear_panel_amx(const cs_linear_args *args, int panel, int first, int count, const void *rounded) {
    enum { run = 2048, block = 2 * CS_TILE_ROWS };
    if (args->format.type != CS_BF16 || args->inputs == 0) {
        linear_panel_avx512bf16(args, panel, first, count, rounded);
        return;
    }
    float sums[CS_CHUNK_ROWS * CS_PANEL] __attribute__((aligned(64)));
    const size_t pairs = ((size_t)args->inputs + 1) / 2, row_bytes = cs_rounded_row_bytes(args);
    const char *weights = (const char *)args->weight + (size_t)panel * CS_PANEL * pairs * 4;
    for (int k = 0; k < args->inputs; k += run) {
        const int left = args->inputs - k < run ? args->inputs - k : run, blocks = left / CS_TILE_INPUTS;
        for (int m = 0; m < count; m += block) {
            amx_operands o = {
                (const char *)rounded + (size_t)m * row_bytes + (size_t)k * 2, weights + (size_t)k * 2 * CS_PANEL,
                row_bytes, cs_rounded_terms(args) == 2 ? pairs * 4 : 0, count - m < block ? count - m : block, blocks};
            amx_shape(o.rows, o.rows > CS_TILE_ROWS);
            if (blocks > 0) amx_rows(&o, sums + m * CS_PANEL, k > 0);
            if (blocks * CS_TILE_INPUTS == left) continue;
            o.x += (size_t)blocks * CS_TILE_BYTES_WIDE;
            o.weights += (size_t)blocks * AMX_PANEL_BLOCK;
            amx_tail(args, &o, k + blocks * CS_TILE_INPUTS, sums + m * CS_PANEL, k > 0 || blocks > 0);
        }
    }
    CS_TILE_RELEASE();
    for (int m = 0; m < count; m++) finish_avx512bf16(args, panel, first + m, sums + m * CS_PANEL);
}

#pragma clang attribute pop
