// AMX tiles in software, after the operations of Intel's SDM, volume 2 (LDTILECFG, TILELOADD, TILESTORED, TDPBF16PS,
// TDPBSUD), so that the tile kernels run on machines without any. One set of tiles per thread, as in the machine.
#ifndef CS_AMX_MODEL_H
#define CS_AMX_MODEL_H

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct model_tile {
    int rows, row_bytes;
    uint8_t bytes[16][64];
} model_tile;

static _Thread_local model_tile model_tiles[8];
static _Thread_local int model_configured;

/// What the machine would raise #GP or #UD for is a bug in a kernel.
static inline void model_check(int is_right) {
    if (!is_right) abort();
}

static inline void model_configure(const void *memory) {
    const uint8_t *shapes = memory;
    model_check(shapes[0] == 1 && shapes[1] == 0);
    for (int i = 2; i < 16; i++) model_check(shapes[i] == 0);
    for (int t = 0; t < 8; t++) {
        uint16_t row_bytes;
        memcpy(&row_bytes, shapes + 16 + 2 * t, 2);
        model_check(row_bytes <= 64 && shapes[48 + t] <= 16 && (row_bytes == 0) == (shapes[48 + t] == 0));
        model_tiles[t] = (model_tile){.rows = shapes[48 + t], .row_bytes = row_bytes};
    }
    for (int t = 8; t < 16; t++) model_check(shapes[48 + t] == 0 && shapes[16 + 2 * t] == 0);
    model_configured = 1;
}

static inline model_tile *model_at(int t) {
    model_check(model_configured && model_tiles[t].rows > 0);
    return &model_tiles[t];
}

static inline void model_zero(int t) {
    memset(model_at(t)->bytes, 0, sizeof model_tiles[t].bytes);
}

static inline void model_load(int t, const void *from, size_t stride) {
    model_zero(t);
    for (int r = 0; r < model_tiles[t].rows; r++)
        memcpy(model_tiles[t].bytes[r], (const char *)from + (size_t)r * stride, (size_t)model_tiles[t].row_bytes);
}

static inline void model_store(int t, void *to, size_t stride) {
    for (int r = 0; r < model_at(t)->rows; r++)
        memcpy((char *)to + (size_t)r * stride, model_tiles[t].bytes[r], (size_t)model_tiles[t].row_bytes);
}

/// The three shapes of a product must agree.
static inline void model_check_product(const model_tile *c, const model_tile *a, const model_tile *b) {
    model_check(c != a && c != b && a != b && a->rows == c->rows && b->row_bytes == c->row_bytes);
    model_check(a->row_bytes / 4 == b->rows && a->row_bytes % 4 == 0 && c->row_bytes % 4 == 0);
}

/// Denormals are zero, as arguments and as results.
static inline float model_flush(float x) { return fabsf(x) < FLT_MIN ? copysignf(0, x) : x; }

static inline float model_bf16(const uint8_t *from) {
    uint32_t bits = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 24;
    float value;
    memcpy(&value, &bits, 4);
    return model_flush(value);
}

static inline void model_product_bf16(int c, int a, int b) {
    model_tile *sum = model_at(c);
    const model_tile *rows = model_at(a), *columns = model_at(b);
    model_check_product(sum, rows, columns);
    for (int m = 0; m < sum->rows; m++)
        for (int n = 0; n < sum->row_bytes / 4; n++) {
            float even = 0, odd = 0, before;
            for (int k = 0; k < rows->row_bytes / 4; k++) {
                const uint8_t *x = rows->bytes[m] + 4 * k, *w = columns->bytes[k] + 4 * n;
                even = model_flush(fmaf(model_bf16(x), model_bf16(w), even));
                odd = model_flush(fmaf(model_bf16(x + 2), model_bf16(w + 2), odd));
            }
            memcpy(&before, sum->bytes[m] + 4 * n, 4);
            float both = model_flush(even + odd), after = model_flush(model_flush(before) + both);
            memcpy(sum->bytes[m] + 4 * n, &after, 4);
        }
}

static inline void model_product_bytes(int c, int a, int b) {
    model_tile *sum = model_at(c);
    const model_tile *rows = model_at(a), *columns = model_at(b);
    model_check_product(sum, rows, columns);
    for (int m = 0; m < sum->rows; m++)
        for (int n = 0; n < sum->row_bytes / 4; n++) {
            int32_t total;
            memcpy(&total, sum->bytes[m] + 4 * n, 4);
            for (int k = 0; k < rows->row_bytes / 4; k++)
                for (int i = 0; i < 4; i++)
                    total += (int32_t)(int8_t)rows->bytes[m][4 * k + i] * (int32_t)columns->bytes[k][4 * n + i];
            memcpy(sum->bytes[m] + 4 * n, &total, 4);
        }
}

#define CS_TILE_CONFIGURE(shapes) model_configure(shapes)
#define CS_TILE_RELEASE() ((void)(model_configured = 0))
#define CS_TILE_ZERO(tile) model_zero(tile)
#define CS_TILE_LOAD(tile, from, stride) model_load(tile, from, stride)
#define CS_TILE_STORE(tile, to, stride) model_store(tile, to, stride)
#define CS_TILE_BF16(sum, rows, columns) model_product_bf16(sum, rows, columns)
#define CS_TILE_BYTES(sum, rows, columns) model_product_bytes(sum, rows, columns)

#endif
