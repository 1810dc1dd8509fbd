// Products with integer codes on AMX tiles: 16 rows of x by a panel's 64 output features, one weight group at a time.
//
// Integer sums are exact and the float chain is codes_body.h's, so the numbers are those of every other level. That is why
// few rows may take the vectors' path: a tile instruction does the work of 16 rows for one.

#include "amx.h"

#pragma clang attribute push(__attribute__((target(CS_AMX_TARGET))), apply_to = function)

/// Rows from which tiles are used: below, vectors do less for nothing. Not tuned: no such machine was at hand.
enum { AMX_LEAST_ROWS = CS_ROW_TILE };

static void codes_prepare_amx(const cs_linear_args *args, int first, int count, char *tiles) {
    const cs_tile_layout layout = cs_tile_layout_of(args);
    if (count < AMX_LEAST_ROWS) codes_prepare_avx512bf16(args, first, count, tiles);
    else codes_tile_avx512bf16(args, &layout, first, count, true, tiles);
}

/// Up to 16 rows and a run of inputs; everything at its first input and row.
typedef struct amx_codes {
    const char *x;            // codes, rows `inputs` bytes apart
    const int32_t *starts;    // [sums][all_rows], see cs_tile_layout
    const float *x_scales;    // [blocks][all_rows]
    const uint8_t *weights;
    const char *scales;       // [sums][64] of scale_type; [64] where one stands for every sum
    const char *minimums;     // the same; NULL where the format has none
    cs_type scale_type;
    int sum_scales;           // scales from one sum's to the next one's: 64 or 0
    size_t inputs;
    int rows, all_rows;
    int step;                 // inputs of a tile: a group, at most 64
} amx_codes;

/// Sums are tiles 0 to 3, x is 4, weights are 5 and 6.
static void amx_shape_codes(int rows, int step) {
    cs_tile_shapes shapes = {.palette = 1};
    for (int tile = 0; tile < 4; tile++) cs_shape_tile(&shapes, tile, rows, CS_TILE_BYTES_WIDE);
    cs_shape_tile(&shapes, 4, rows, step);
    cs_shape_tile(&shapes, 5, step / 4, CS_TILE_BYTES_WIDE);
    cs_shape_tile(&shapes, 6, step / 4, CS_TILE_BYTES_WIDE);
    CS_TILE_CONFIGURE(&shapes);
}

/// Adds one tile of inputs to the sums.
static void amx_multiply(const char *x, size_t stride, const uint8_t *w) {
    CS_TILE_LOAD(4, x, stride);
#define AMX_COLUMN(sum, tile)                                              \
    CS_TILE_LOAD(tile, w + sum * CS_TILE_BYTES_WIDE, 4 * CS_PANEL);        \
    CS_TILE_BYTES(sum, 4, tile)
    AMX_COLUMN(0, 5);
    AMX_COLUMN(1, 6);
    AMX_COLUMN(2, 5);
    AMX_COLUMN(3, 6);
#undef AMX_COLUMN
}

/// sums [rows][64] of the inputs k ..< k + inputs, what is left of a tile with zeros behind it.
static void amx_integer_sums(const amx_codes *o, int k, int inputs, int32_t *sums) {
    CS_TILE_ZERO(0);
    CS_TILE_ZERO(1);
    CS_TILE_ZERO(2);
    CS_TILE_ZERO(3);
    for (; inputs >= o->step; inputs -= o->step, k += o->step)
        amx_multiply(o->x + k, o->inputs, o->weights + (size_t)k * CS_PANEL);
    if (inputs > 0) {
        char x[CS_TILE_ROWS][CS_TILE_BYTES_WIDE] = {0};
        uint8_t weights[CS_TILE_ROWS * 4 * CS_PANEL] = {0};
        for (int m = 0; m < o->rows; m++) memcpy(x[m], o->x + k + (size_t)m * o->inputs, (size_t)inputs);
        memcpy(weights, o->weights + (size_t)k * CS_PANEL, (size_t)inputs * CS_PANEL);
        amx_multiply(x[0], sizeof x[0], weights);
    }
    CS_TILE_STORE(0, sums, 4 * CS_PANEL);
    CS_TILE_STORE(1, sums + 16, 4 * CS_PANEL);
    CS_TILE_STORE(2, sums + 32, 4 * CS_PANEL);
    CS_TILE_STORE(3, sums + 48, 4 * CS_PANEL);
}

/// block [rows][64] (+)= scale * sum - minimum * the sum of x's codes, as add_sums does it.
static void amx_add_sums(const amx_codes *o, int g, bool fine, bool is_first, const int32_t *sums, float *block) {
    for (int m = 0; m < o->rows; m++) {
        const int32_t start = o->starts[g * o->all_rows + m];
        float less;
        memcpy(&less, &start, 4);
        for (int n = 0; n < CS_PANEL; n += 16) {
            float *to = block + m * CS_PANEL + n;
            const size_t at = (size_t)g * o->sum_scales + n;
            i32x16 sum;
            memcpy(&sum, sums + m * CS_PANEL + n, sizeof sum);
            f32x16 value = __builtin_convertvector(o->minimums ? sum : sum + start, f32x16);
            f32x16 scale = load_scales_avx512bf16(o->scale_type, o->scales, at);
            f32x16 before = is_first ? (f32x16)0.0f : load_avx512bf16(to);
            f32x16 total = fine ? fused_avx512bf16(value, scale, before) : value * scale;
            if (o->minimums) {
                f32x16 minimum = load_scales_avx512bf16(o->scale_type, o->minimums, at);
                total = fused_avx512bf16(minimum, (f32x16)less, total);
            }
            store_avx512bf16(to, total);
        }
    }
}

/// c [rows][64] (+)= the blocks of a run of inputs in order.
static void amx_tile_codes(const amx_codes *o, int inputs, int sum_inputs, float *c, bool add) {
    float block[CS_TILE_ROWS * CS_PANEL] __attribute__((aligned(64)));
    int32_t sums[CS_TILE_ROWS * CS_PANEL] __attribute__((aligned(64)));
    for (int k = 0, g = 0; k < inputs; k += CS_INPUT_BLOCK) {
        const int end = inputs - k < CS_INPUT_BLOCK ? inputs : k + CS_INPUT_BLOCK;
        for (int from = k; from < end; from += sum_inputs, g++) {
            amx_integer_sums(o, from, end - from < sum_inputs ? end - from : sum_inputs, sums);
            amx_add_sums(o, g, sum_inputs < CS_INPUT_BLOCK, from == k, sums, block);
        }
        for (int m = 0; m < o->rows; m++) {
            const f32x16 scale = (f32x16)o->x_scales[k / CS_INPUT_BLOCK * o->all_rows + m];
            for (int n = m * CS_PANEL; n < (m + 1) * CS_PANEL; n += 16) {
                f32x16 before = add || k > 0 ? load_avx512bf16(c + n) : (f32x16)0.0f;
                store_avx512bf16(c + n, fused_avx512bf16(load_avx512bf16(block + n), scale, before));
            }
        }
    }
}

/// One run of inputs, k ..< k + inputs, for all rows of a chunk.
static void amx_codes_run(
    const cs_linear_args *args, const cs_tile_layout *layout, const panel_parts_avx512bf16 *parts, int k, int inputs,
    int count, const char *tiles, cs_code_room *room) {
    const bool halves = args->format.type == CS_I4;
    const int sum = layout->sum_inputs, sum_scales = args->format.group > 0 ? CS_PANEL : 0;
    const size_t scales_at = (size_t)(k / sum) * sum_scales * cs_type_bytes(args->format.scale_type);
    const uint8_t *codes = parts->codes + (size_t)k * CS_PANEL / (halves ? 2 : 1);
    const int32_t *starts = (const int32_t *)(const void *)(tiles + (size_t)layout->inputs * count);
    const float *x_scales = (const float *)(const void *)(starts + (size_t)layout->sums * count);
    if (halves) unpack_avx512bf16(codes, inputs, room->codes);
    for (int m = 0; m < count; m += CS_TILE_ROWS) {
        const amx_codes o = {
            tiles + (size_t)m * layout->inputs + k, starts + (size_t)(k / sum) * count + m,
            x_scales + (size_t)(k / CS_INPUT_BLOCK) * count + m, halves ? room->codes : codes,
            parts->scales + scales_at, args->format.has_minimums ? parts->minimums + scales_at : NULL,
            args->format.scale_type, sum_scales, (size_t)layout->inputs,
            count - m < CS_TILE_ROWS ? count - m : CS_TILE_ROWS, count,
            sum < CS_TILE_BYTES_WIDE ? sum : CS_TILE_BYTES_WIDE};
        amx_shape_codes(o.rows, o.step);
        amx_tile_codes(&o, inputs, sum, room->sums + m * CS_PANEL, k > 0);
    }
}

static void codes_panel_amx(
    const cs_linear_args *args, int panel, int first, int count, const char *tiles, cs_code_room *room) {
    if (count < AMX_LEAST_ROWS) {
        codes_panel_avx512bf16(args, panel, first, count, tiles, room);
        return;
    }
    const cs_tile_layout layout = cs_tile_layout_of(args);
    const panel_parts_avx512bf16 parts = parts_avx512bf16(args, panel);
    for (int k = 0; k < layout.inputs; k += CS_SHORT_RUN) {
        const int inputs = layout.inputs - k < CS_SHORT_RUN ? layout.inputs - k : CS_SHORT_RUN;
        amx_codes_run(args, &layout, &parts, k, inputs, count, tiles, room);
    }
    CS_TILE_RELEASE();
    for (int m = 0; m < count; m++) codes_finish_avx512bf16(args, panel, first + m, room->sums + m * CS_PANEL);
}

#pragma clang attribute pop
