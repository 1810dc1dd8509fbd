// The two products of attention: up to 6 query rows times vectors of 16 cached numbers, pairs of the inner dimension in
// order.
//
// Included by attention_body.h, once per level. Where the machine multiplies bf16 pairs, bf16 keys and values and codes
// (exact in bf16) are multiplied so, with x rounded to bf16; all else is one chain of fused multiply-adds in f32. An
// element's sum does not depend on the number of rows, on the vectors beside it, or on whether the cache was read in its
// own type or from a widened tile.

/// Whether numbers of a type are multiplied as pairs of bf16.
CS_INLINE bool CS_NAME(is_dot)(cs_type type) {
#if defined(CS_HAS_BF16_DOT)
    return type == CS_BF16 || type == CS_I8 || type == CS_F8;
#else
    (void)type;
    return false;
#endif
}

/// Sixteen numbers as f32; not for bf16, which comes in pairs.
CS_INLINE f32x16 CS_NAME(load_sixteen)(const cs_type type, const char *from) {
    typedef uint8_t u8x16 __attribute__((ext_vector_type(16)));
    typedef i8x16 i8x16_any __attribute__((aligned(1)));
    typedef u8x16 u8x16_any __attribute__((aligned(1)));
    const void *at = from;
    if (type == CS_F32) return CS_NAME(load)(at);
    if (type == CS_F16) return CS_NAME(load_f16)(at);
    if (type == CS_I8) return __builtin_convertvector(__builtin_convertvector(*(const i8x16_any *)at, i32x16), f32x16);
    u32x16 code = __builtin_convertvector(*(const u8x16_any *)at, u32x16);
    // Exponent and fraction at f32's place are the number times 2^-120, subnormals too.
    f32x16 size = (f32x16)((code & 0x7f) << 20) * 0x1p120f;
    return (f32x16)((u32x16)size | (code & 0x80) << 24);
}

/// Row 2 i and row 2 i + 1 of numbers `stride` bytes apart; in bf16 the two are one row of pairs.
CS_INLINE void CS_NAME(load_pair)(
    const cs_type type, const char *base, size_t stride, int i, f32x16 *even, f32x16 *odd) {
    if (type == CS_BF16) {
        u32x16 pair = *(const u32x16_any *)(const void *)(base + (size_t)i * stride);
        *even = (f32x16)(pair << 16);
        *odd = (f32x16)(pair & 0xffff0000u);
    } else {
        *even = CS_NAME(load_sixteen)(type, base + (size_t)(2 * i) * stride);
        *odd = CS_NAME(load_sixteen)(type, base + (size_t)(2 * i + 1) * stride);
    }
}

/// The same as pairs of bf16.
CS_INLINE u32x16 CS_NAME(load_dot)(const cs_type type, const char *base, size_t stride, int i) {
    if (type == CS_BF16) return *(const u32x16_any *)(const void *)(base + (size_t)i * stride);
    f32x16 even, odd;
    CS_NAME(load_pair)(type, base, stride, i, &even, &odd);
    return (u32x16)even >> 16 | ((u32x16)odd & 0xffff0000u);
}

/// sum[m][v] += x[m, pair i] * (row pair i of vector v); `whole` is false where the odd row is not to be read.
CS_INLINE void CS_NAME(multiply_pair)(
    const cs_type type, const int rows, const int strip, const char *const *base, size_t stride, int i, bool whole,
    const uint32_t *x, size_t x_stride, f32x16 sum[CS_ROW_TILE][4]) {
#if defined(CS_HAS_BF16_DOT)
    if (CS_NAME(is_dot)(type)) {
        u32x16 b[4];
        CS_UNROLL for (int v = 0; v < strip; v++) {
            b[v] = CS_NAME(load_dot)(type, base[v], stride, i);
            if (!whole) b[v] &= 0xffffu;
        }
        CS_UNROLL for (int m = 0; m < rows; m++) {
            const uint32_t pair = x[m * x_stride + i];
            CS_UNROLL for (int v = 0; v < strip; v++) sum[m][v] = CS_NAME(dot_pairs)(sum[m][v], pair, b[v]);
        }
        return;
    }
#endif
    f32x16 even[4], odd[4];
    CS_UNROLL for (int v = 0; v < strip; v++) {
        CS_NAME(load_pair)(type, base[v], stride, i, &even[v], &odd[v]);
        if (!whole) odd[v] = 0;
    }
    CS_UNROLL for (int m = 0; m < rows; m++) {
        float pair[2];
        memcpy(pair, x + m * x_stride + 2 * i, sizeof pair);
        CS_UNROLL for (int v = 0; v < strip; v++) {
            sum[m][v] = CS_NAME(madd)(CS_NAME(splat)(pair[0]), even[v], sum[m][v]);
            sum[m][v] = CS_NAME(madd)(CS_NAME(splat)(pair[1]), odd[v], sum[m][v]);
        }
    }
}

/// scores[m, 16 v ...] = q[m, :] * keys of run v, for `strip` runs.
CS_INLINE void CS_NAME(score_strip)(
    const cs_type type, const int rows, const int strip, const char *const *keys, size_t stride, int pairs,
    const uint32_t *q, size_t q_stride, float *scores) {
    f32x16 sum[CS_ROW_TILE][4];
    CS_UNROLL for (int m = 0; m < rows; m++)
        CS_UNROLL for (int v = 0; v < strip; v++) sum[m][v] = (f32x16)0.0f;
    for (int i = 0; i < pairs; i++)
        CS_NAME(multiply_pair)(type, rows, strip, keys, stride, i, true, q, q_stride, sum);
    CS_UNROLL for (int m = 0; m < rows; m++)
        CS_UNROLL for (int v = 0; v < strip; v++)
            CS_NAME(store)(scores + m * CS_ATTENTION_TILE + v * 16, sum[m][v]);
}

/// sums[m, ...] = factors[m] * sums[m, ...] + weights[m, :] * `strip` vectors of the values of `positions` positions.
CS_INLINE void CS_NAME(value_strip)(
    const cs_type type, const int rows, const int strip, const char *const *values, size_t offset, size_t step,
    size_t stride, int positions, const uint32_t *weights, size_t weight_stride, const float *factors, float *sums,
    size_t sum_stride) {
    f32x16 sum[CS_ROW_TILE][4];
    CS_UNROLL for (int m = 0; m < rows; m++)
        CS_UNROLL for (int v = 0; v < strip; v++)
            sum[m][v] = CS_NAME(load)(sums + m * sum_stride + v * 16) * factors[m];
    const size_t words = CS_NAME(is_dot)(type) ? CS_RUN / 2 : CS_RUN;
    for (int run = 0; run * CS_RUN < positions; run++) {
        int left = positions - run * CS_RUN;
        int pairs = left < CS_RUN ? left / 2 : CS_RUN / 2;
        const uint32_t *w = weights + (size_t)run * words;
        const char *base[4];
        CS_UNROLL for (int v = 0; v < strip; v++) base[v] = values[run] + offset + (size_t)v * step;
        for (int i = 0; i < pairs; i++)
            CS_NAME(multiply_pair)(type, rows, strip, base, stride, i, true, w, weight_stride, sum);
        if (left < CS_RUN && left % 2 == 1)
            CS_NAME(multiply_pair)(type, rows, strip, base, stride, pairs, false, w, weight_stride, sum);
    }
    CS_UNROLL for (int m = 0; m < rows; m++)
        CS_UNROLL for (int v = 0; v < strip; v++) CS_NAME(store)(sums + m * sum_stride + v * 16, sum[m][v]);
}

/// Rows of one tile's products; what the cache's numbers are multiplied with stands in words: f32, or pairs of bf16.
typedef struct CS_NAME(tile) {
    const char *keys[CS_TILE_RUNS];
    const char *values[CS_TILE_RUNS];
    size_t key_stride;    // bytes between components (pairs of them in bf16) of a run
    size_t value_stride;  // bytes between positions (pairs of them in bf16)
    size_t value_step;    // bytes of 16 components of a position (of a pair of positions in bf16)
    cs_type type;         // of the numbers there
    int runs;             // that a query sees
    int positions;        // that are cached
} CS_NAME(tile);

CS_INLINE void CS_NAME(score_rows)(
    const cs_type type, const int rows, const CS_NAME(tile) *tile, int pairs, const uint32_t *q, size_t q_stride,
    float *scores) {
    const int strip = CS_STRIP(rows);
    int v = 0;
    for (; v + strip <= tile->runs; v += strip)
        CS_NAME(score_strip)(
            type, rows, strip, tile->keys + v, tile->key_stride, pairs, q, q_stride, scores + v * CS_RUN);
    for (; strip > 1 && v < tile->runs; v++)
        CS_NAME(score_strip)(type, rows, 1, tile->keys + v, tile->key_stride, pairs, q, q_stride, scores + v * CS_RUN);
}

CS_INLINE void CS_NAME(value_rows)(
    const cs_type type, const int rows, const CS_NAME(tile) *tile, int vectors, const uint32_t *weights,
    size_t weight_stride, const float *factors, float *sums, size_t sum_stride) {
    const int strip = CS_STRIP(rows);
    int v = 0;
    for (; v + strip <= vectors; v += strip)
        CS_NAME(value_strip)(
            type, rows, strip, tile->values, (size_t)v * tile->value_step, tile->value_step, tile->value_stride,
            tile->positions, weights, weight_stride, factors, sums + v * 16, sum_stride);
    for (; strip > 1 && v < vectors; v++)
        CS_NAME(value_strip)(
            type, rows, 1, tile->values, (size_t)v * tile->value_step, tile->value_step, tile->value_stride,
            tile->positions, weights, weight_stride, factors, sums + v * 16, sum_stride);
}

/// Calls for 1, 2, 4 or 6 rows of a type; six only where a tile is wide, which needs no conversion.
#define CS_EACH_ROWS(type, call)   \
    switch (rows) {                \
    case 1: call(type, 1); break;  \
    case 2: call(type, 2); break;  \
    default: call(type, 4); break; \
    }
#define CS_EACH_TYPE(call)                                                                             \
    switch (tile->type) {                                                                              \
    case CS_F32: if (rows == 6) call(CS_F32, 6); else CS_EACH_ROWS(CS_F32, call) break;                \
    case CS_BF16: if (CS_NAME(is_dot)(CS_BF16) && rows == 6) call(CS_BF16, 6); else CS_EACH_ROWS(CS_BF16, call) break; \
    case CS_F16: CS_EACH_ROWS(CS_F16, call) break;                                                     \
    case CS_I8: CS_EACH_ROWS(CS_I8, call) break;                                                       \
    case CS_F8: CS_EACH_ROWS(CS_F8, call) break;                                                       \
    default: break;                                                                                    \
    }

/// Rows of the next register tile.
CS_INLINE int CS_NAME(tile_rows)(const CS_NAME(tile) *tile, int left) {
    bool wide = tile->type == CS_F32 || (tile->type == CS_BF16 && CS_NAME(is_dot)(CS_BF16));
    if (wide && left >= 6 && left != 8) return 6;
    return left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

/// scores [count, 64] = q [count, 2 pairs] * keys.
static void CS_NAME(score_tile)(
    const CS_NAME(tile) *tile, int count, int pairs, const uint32_t *q, size_t q_stride, float *scores) {
    for (int m = 0, rows; m < count; m += rows) {
        rows = CS_NAME(tile_rows)(tile, count - m);
#define CS_CALL(type, n) \
    CS_NAME(score_rows)(type, n, tile, pairs, q + m * q_stride, q_stride, scores + m * CS_ATTENTION_TILE)
        CS_EACH_TYPE(CS_CALL)
#undef CS_CALL
    }
}

/// sums [count, 16 vectors] = factors * sums + weights [count, positions] * values.
static void CS_NAME(value_tile)(
    const CS_NAME(tile) *tile, int count, int vectors, const uint32_t *weights, size_t weight_stride,
    const float *factors, float *sums, size_t sum_stride) {
    for (int m = 0, rows; m < count; m += rows) {
        rows = CS_NAME(tile_rows)(tile, count - m);
#define CS_CALL(type, n)                                                                            \
    CS_NAME(value_rows)(                                                                            \
        type, n, tile, vectors, weights + m * weight_stride, weight_stride, factors + m, sums + m * sum_stride, \
        sum_stride)
        CS_EACH_TYPE(CS_CALL)
#undef CS_CALL
    }
}
#undef CS_EACH_TYPE
#undef CS_EACH_ROWS
