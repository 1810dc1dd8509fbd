// out = x * weight^T + bias for each packed type: a panel of 64 output features times a chunk of rows.

#include "gemm_tile.h"

/// Tiles of more rows fetch a line of the next run of weights with every step; fewer rows wait for memory anyway, which
/// the machine's own read-ahead serves best.
#define CS_SINGLE_ROWS 3

CS_INLINE void CS_NAME(tile_f16)(
    const int rows, int inner, const float *x, size_t x_stride, const uint16_t *w, float *c, size_t c_stride, bool add,
    const char *ahead) {
    enum { most = 4 };
    const int strip = CS_STRIP(rows);
    for (int s = 0; s < CS_PANEL / 16; s += strip) {
        f32x16 sum[CS_ROW_TILE][most];
        CS_UNROLL for (int m = 0; m < rows; m++)
            CS_UNROLL for (int v = 0; v < strip; v++)
                sum[m][v] = add ? CS_NAME(load)(c + m * c_stride + (s + v) * 16) : (f32x16)0.0f;
        for (int k = 0; k < inner; k++) {
            f32x16 b[most];
            if (strip == 4 && rows > CS_SINGLE_ROWS) __builtin_prefetch(ahead + (size_t)k * 64, 0, 2);
            CS_UNROLL for (int v = 0; v < strip; v++) b[v] = CS_NAME(load_f16)(w + (size_t)k * CS_PANEL + (s + v) * 16);
            CS_UNROLL for (int m = 0; m < rows; m++) {
                f32x16 a = CS_NAME(splat)(x[m * x_stride + k]);
                CS_UNROLL for (int v = 0; v < strip; v++) sum[m][v] = CS_NAME(madd)(a, b[v], sum[m][v]);
            }
        }
        CS_UNROLL for (int m = 0; m < rows; m++)
            CS_UNROLL for (int v = 0; v < strip; v++) CS_NAME(store)(c + m * c_stride + (s + v) * 16, sum[m][v]);
    }
}

#if defined(CS_HAS_BF16_DOT)
#if defined(__aarch64__)
#include "gemm_neon.h"
#else

/// `x` holds pairs of bf16, [rows][terms][inner pairs]: rows are `x_stride` words apart, terms `x_term`.
CS_INLINE void CS_NAME(tile_bf16)(
    const int rows, const int terms, int pairs, const uint32_t *x, size_t x_stride, size_t x_term, const uint16_t *w,
    float *c, size_t c_stride, bool add, const char *ahead) {
    enum { strip = 4 };
    f32x16 sum[CS_ROW_TILE][strip];
    CS_UNROLL for (int m = 0; m < rows; m++)
        CS_UNROLL for (int v = 0; v < strip; v++)
            sum[m][v] = add ? CS_NAME(load)(c + m * c_stride + v * 16) : (f32x16)0.0f;
    for (int k = 0; k < pairs; k++) {
        __m512bh b[strip];
        CS_UNROLL for (int v = 0; v < strip; v++)
            b[v] = (__m512bh)_mm512_loadu_si512(w + (size_t)k * 2 * CS_PANEL + v * 32);
        if (rows > CS_SINGLE_ROWS) __builtin_prefetch(ahead + (size_t)k * 64, 0, 2);
        CS_UNROLL for (int t = 0; t < terms; t++)
            CS_UNROLL for (int m = 0; m < rows; m++) {
                __m512bh a = (__m512bh)_mm512_set1_epi32((int)x[m * x_stride + t * x_term + (size_t)k]);
                CS_UNROLL for (int v = 0; v < strip; v++)
                    sum[m][v] = (f32x16)_mm512_dpbf16_ps((__m512)sum[m][v], a, b[v]);
            }
    }
    CS_UNROLL for (int m = 0; m < rows; m++)
        CS_UNROLL for (int v = 0; v < strip; v++) CS_NAME(store)(c + m * c_stride + v * 16, sum[m][v]);
}

/// Rounds 32 numbers to 16 pairs of bf16 and leaves what rounding lost in their place.
CS_INLINE void CS_NAME(round_pairs)(f32x16 *low, f32x16 *high, uint32_t *pair) {
    _mm512_storeu_si512(pair, (__m512i)_mm512_cvtne2ps_pbh((__m512)*high, (__m512)*low));
    const uint16_t *rounded = (const uint16_t *)pair;
    *low -= CS_NAME(load_bf16)(rounded);
    *high -= CS_NAME(load_bf16)(rounded + 16);
}

/// Rounds a tile of rows to bf16 as [rows][terms][pairs], an odd last column paired with zero. The second term is what
/// the first left of x.
static void CS_NAME(round_tile)(const float *x, size_t x_stride, int rows, int inner, int terms, uint32_t *out) {
    const size_t pairs = ((size_t)inner + 1) / 2;
    for (int m = 0; m < rows; m++) {
        const float *from = x + m * x_stride;
        uint32_t *to = out + m * pairs * (size_t)terms;
        int k = 0;
        for (; k + 32 <= inner; k += 32) {
            f32x16 low = CS_NAME(load)(from + k), high = CS_NAME(load)(from + k + 16);
            for (int t = 0; t < terms; t++) CS_NAME(round_pairs)(&low, &high, to + t * pairs + k / 2);
        }
        if (k == inner) continue;
        uint32_t pair[16];
        f32x16 low = CS_NAME(load_some)(from + k, inner - k < 16 ? inner - k : 16);
        f32x16 high = inner - k > 16 ? CS_NAME(load_some)(from + k + 16, inner - k - 16) : (f32x16)0.0f;
        for (int t = 0; t < terms; t++) {
            CS_NAME(round_pairs)(&low, &high, pair);
            memcpy(to + t * pairs + k / 2, pair, (pairs - (size_t)k / 2) * sizeof *pair);
        }
    }
}

#endif

/// Words from the start of a rounded tile to its pair at input k.
CS_INLINE size_t CS_NAME(rounded_offset)(int rows, int terms, int k) {
#if defined(__aarch64__)
    return (size_t)(k / 2) * terms * rows;
#else
    (void)rows, (void)terms;
    return (size_t)(k / 2);
#endif
}

static void CS_NAME(linear_prepare)(const cs_linear_args *args, int first, int count, void *rounded) {
    if (args->format.type != CS_BF16) return;
    size_t row_bytes = cs_rounded_row_bytes(args);
    int terms = cs_rounded_terms(args);
    for (int m = 0, rows; m < count; m += rows) {
        rows = cs_tile_rows(count - m, CS_ROW_TILE);
        CS_NAME(round_tile)(
            args->x + (first + m) * args->x_stride, args->x_stride, rows, args->inputs, terms,
            (uint32_t *)((char *)rounded + m * row_bytes));
    }
}

#else

/// Without a bf16 dot x stays f32 and the weights are widened: pairs in order, the even one first.
CS_INLINE void CS_NAME(tile_bf16)(
    const int rows, int inner, const float *x, size_t x_stride, const uint16_t *w, float *c, size_t c_stride, bool add) {
    enum { most = 4 };
    const int strip = CS_STRIP(rows);
    for (int s = 0; s < CS_PANEL / 16; s += strip) {
        f32x16 sum[CS_ROW_TILE][most];
        CS_UNROLL for (int m = 0; m < rows; m++)
            CS_UNROLL for (int v = 0; v < strip; v++)
                sum[m][v] = add ? CS_NAME(load)(c + m * c_stride + (s + v) * 16) : (f32x16)0.0f;
        for (int k = 0; k < inner; k += 2) {
            const uint16_t *pairs = w + (size_t)k * CS_PANEL + s * 32;
            bool single = k + 1 == inner;
            CS_UNROLL for (int m = 0; m < rows; m++) {
                f32x16 even = CS_NAME(splat)(x[m * x_stride + k]);
                f32x16 odd = CS_NAME(splat)(single ? 0.0f : x[m * x_stride + k + 1]);
                CS_UNROLL for (int v = 0; v < strip; v++) {
                    u32x16 pair = *(const u32x16_any *)(const void *)(pairs + v * 32);
                    sum[m][v] = CS_NAME(madd)(even, (f32x16)(pair << 16), sum[m][v]);
                    sum[m][v] = CS_NAME(madd)(odd, (f32x16)(pair & 0xffff0000u), sum[m][v]);
                }
            }
        }
        CS_UNROLL for (int m = 0; m < rows; m++)
            CS_UNROLL for (int v = 0; v < strip; v++) CS_NAME(store)(c + m * c_stride + (s + v) * 16, sum[m][v]);
    }
}

static void CS_NAME(linear_prepare)(const cs_linear_args *args, int first, int count, void *rounded) {
    (void)args, (void)first, (void)count, (void)rounded;
}

#endif

#define CS_EACH_ROW_COUNT(call) \
    switch (rows) {             \
    case 1: call(1); break;     \
    case 2: call(2); break;     \
    case 3: call(3); break;     \
    case 4: call(4); break;     \
    case 5: call(5); break;     \
    default: call(6); break;    \
    }

/// One row tile over the columns k ..< k + inner of the weights; `ahead` is what it may fetch meanwhile.
static void CS_NAME(tile)(
    const cs_linear_args *args, int row, int rows, int k, int inner, const void *panel, const void *rounded, float *c,
    size_t c_stride, const char *ahead) {
    const float *x = args->x + row * args->x_stride + k;
    bool add = k > 0;
    switch (args->format.type) {
    case CS_F32: {
        const float *w = (const float *)panel + (size_t)k * CS_PANEL;
#define CS_CALL(n) CS_NAME(tile_f32)(n, inner, x, args->x_stride, w, c, c_stride, add)
        CS_EACH_ROW_COUNT(CS_CALL)
#undef CS_CALL
        break;
    }
    case CS_F16: {
        const uint16_t *w = (const uint16_t *)panel + (size_t)k * CS_PANEL;
#define CS_CALL(n) CS_NAME(tile_f16)(n, inner, x, args->x_stride, w, c, c_stride, add, ahead)
        CS_EACH_ROW_COUNT(CS_CALL)
#undef CS_CALL
        break;
    }
    case CS_BF16: {
        const uint16_t *w = (const uint16_t *)panel + (size_t)k * CS_PANEL;
#if defined(CS_HAS_BF16_DOT)
        // Rows of pairs on x86, tiles of them on ARM: see CS_NAME(round_tile).
        const int terms = cs_rounded_terms(args);
        const size_t term = ((size_t)args->inputs + 1) / 2;
        const uint32_t *pairs = (const uint32_t *)rounded + CS_NAME(rounded_offset)(rows, terms, k);
#define CS_CALL(n)                                                                                              \
    if (terms == 1) CS_NAME(tile_bf16)(n, 1, (inner + 1) / 2, pairs, term, term, w, c, c_stride, add, ahead); \
    else CS_NAME(tile_bf16)(n, 2, (inner + 1) / 2, pairs, 2 * term, term, w, c, c_stride, add, ahead)
#else
        (void)rounded;
#define CS_CALL(n) CS_NAME(tile_bf16)(n, inner, x, args->x_stride, w, c, c_stride, add)
#endif
        CS_EACH_ROW_COUNT(CS_CALL)
#undef CS_CALL
        break;
    }
    default: break;  // codes have products of their own
    }
}
#undef CS_EACH_ROW_COUNT

static void CS_NAME(finish)(const cs_linear_args *args, int panel, int row, const float *sums) {
    int column = panel * CS_PANEL;
    int width = args->outputs - column < CS_PANEL ? args->outputs - column : CS_PANEL;
    float *out = args->out + row * args->out_stride + column;
    if (!args->bias) {
        memcpy(out, sums, (size_t)width * sizeof(float));
        return;
    }
    for (int n = 0; n < width; n++) out[n] = sums[n] + args->bias[column + n];
}

/// Columns of the weights per run, in 256-byte steps: 256 kB stay in the second-level cache while all row tiles pass over
/// them; where a tile is narrower than a panel, 16 kB stay in the first level while all strips do.
static int CS_NAME(run_length)(const cs_linear_args *args, int count, size_t bytes) {
#if defined(CS_HAS_AVX512)
    return count <= CS_ROW_TILE ? args->inputs : (int)(4096 / bytes);
#else
    return count == 1 ? args->inputs : (int)(256 / bytes);
#endif
}

/// Rows first ..< first + count of one panel.
static void CS_NAME(linear_panel)(const cs_linear_args *args, int panel, int first, int count, const void *rounded) {
    // A whole panel's sums stand where they belong from the start; a bias comes in the end.
    float sums[CS_CHUNK_ROWS * CS_PANEL] __attribute__((aligned(64)));
    const bool whole = (panel + 1) * CS_PANEL <= args->outputs && args->inputs > 0;
    float *c = whole ? args->out + first * args->out_stride + panel * CS_PANEL : sums;
    const size_t c_stride = whole ? args->out_stride : CS_PANEL;
    size_t padded = args->format.type == CS_BF16 ? ((size_t)args->inputs + 1) / 2 * 2 : (size_t)args->inputs;
    size_t bytes = cs_type_bytes(args->format.type);
    const char *weights = (const char *)args->weight + (size_t)panel * CS_PANEL * padded * bytes;
    int run = CS_NAME(run_length)(args, count, bytes);
    // One row takes all of a run's columns at once, in the order of memory; several take them strip by strip, which pays
    // only where the weights come from the cache more often than from memory.
#if defined(CS_HAS_AVX512)
    const int step = CS_ROW_TILE;
#elif defined(CS_HAS_BF16_DOT)
    // Rounded rows lie in tiles.
    const int step = args->format.type != CS_BF16 && count < 3 * CS_ROW_TILE ? 1 : CS_ROW_TILE;
#else
    const int step = count < 3 * CS_ROW_TILE ? 1 : CS_ROW_TILE;
#endif
    if (args->inputs == 0) memset(sums, 0, sizeof sums);
    for (int k = 0; k < args->inputs; k += run) {
        int inner = args->inputs - k < run ? args->inputs - k : run;
        // Each tile fetches a part of the next run. Behind its end they touch what is in the cache already.
        const size_t part = (size_t)(args->format.type == CS_BF16 ? inner / 2 : inner) * 64;
        const char *ahead = weights + (size_t)(k + inner) * CS_PANEL * bytes;
        const char *end = ahead + (size_t)inner * CS_PANEL * bytes;
        for (int m = 0, rows; m < count; m += rows) {
            rows = cs_tile_rows(count - m, step);
            const char *pairs = (const char *)rounded + m * cs_rounded_row_bytes(args);
            CS_NAME(tile)(args, first + m, rows, k, inner, weights, pairs, c + m * c_stride, c_stride, ahead);
            ahead = ahead == weights || ahead + part >= end ? weights : ahead + part;
        }
    }
    if (whole && !args->bias) return;
    for (int m = 0; m < count; m++) CS_NAME(finish)(args, panel, first + m, c + m * c_stride);
}
#undef CS_STRIP
