// Products of bf16 pairs on ARM: one row by bfdot, more by bfmmla, which is two bfdots of each of four sums (Arm ARM, BFMMLA:
// BFMatMulAdd is BFDotAdd twice), so that both give the same bits.

/// Rounds 32 numbers to 16 pairs of bf16 and leaves what rounding lost in their place.
CS_INLINE void CS_NAME(round_pairs)(f32x16 *low, f32x16 *high, uint32_t *pair) {
    f32x16 *value[2] = {low, high};
    CS_UNROLL for (int h = 0; h < 2; h++) {
        CS_NAME(to_pairs)(*value[h], pair + 8 * h);
        *value[h] -= CS_NAME(load_bf16)((const uint16_t *)(pair + 8 * h));
    }
}

/// acc[0], acc[1] += [4 columns] x [2 rows], `first` and `second` the columns' pairs; the first's product comes first.
CS_INLINE void CS_NAME(multiply_pairs)(uint32x4_t first, uint32x4_t second, uint32x4_t x, float32x4_t acc[2]) {
    bfloat16x8_t rows = vreinterpretq_bf16_u32(x);
    acc[0] = vbfmmlaq_f32(acc[0], vreinterpretq_bf16_u32(vzip1q_u32(first, second)), rows);
    acc[1] = vbfmmlaq_f32(acc[1], vreinterpretq_bf16_u32(vzip2q_u32(first, second)), rows);
}

/// Two pairs of a row and two of the next one, row by row; an odd last row stands beside zeros.
CS_INLINE uint32x4_t CS_NAME(two_rows)(const int rows, const int m, const uint32_t *first, const uint32_t *second) {
    uint32x4_t x = {first[m], second[m], 0, 0};
    if (m + 1 < rows) x = (uint32x4_t){first[m], second[m], first[m + 1], second[m + 1]};
    return x;
}

/// Sums of 2 rows x 4 columns from and to [row][column]: acc[0] holds columns 0 and 1, acc[1] columns 2 and 3.
CS_INLINE void CS_NAME(to_squares)(float32x4_t row, float32x4_t next, float32x4_t acc[2]) {
    acc[0] = vzip1q_f32(row, next);
    acc[1] = vzip2q_f32(row, next);
}

/// Two rows and more; sum as CS_NAME(tile_bf16) keeps it. Two steps of one term are the two pairs of an instruction, or the
/// two terms of one pair.
CS_INLINE void CS_NAME(paired_products)(
    const int rows, const int terms, const int strip, int pairs, const uint32_t *x, const uint16_t *w,
    f32x16 sum[CS_ROW_TILE][4]) {
    const int twos = (rows + 1) / 2, quarters = 4 * strip, step = terms == 1 ? 2 : 1;
    float32x4_t acc[CS_ROW_TILE / 2][8][2], part[CS_ROW_TILE + 1][8];
    CS_UNROLL for (int m = 0; m < 2 * twos; m++)
        CS_UNROLL for (int v = 0; v < strip; v++) {
            f32x16 value = m < rows ? sum[m][v] : (f32x16)0.0f;
            memcpy(part[m] + 4 * v, &value, sizeof value);
        }
    CS_UNROLL for (int r = 0; r < twos; r++)
        CS_UNROLL for (int i = 0; i < quarters; i++) CS_NAME(to_squares)(part[2 * r][i], part[2 * r + 1][i], acc[r][i]);
    for (int k = 0; k + step <= pairs; k += step, x += 2 * rows) {
        uint32x4_t xs[CS_ROW_TILE / 2];
        CS_UNROLL for (int r = 0; r < twos; r++) xs[r] = CS_NAME(two_rows)(rows, 2 * r, x, x + rows);
        const uint16_t *row = w + (size_t)k * 2 * CS_PANEL;
        CS_UNROLL for (int i = 0; i < quarters; i++) {
            uint32x4_t first = vreinterpretq_u32_u16(vld1q_u16(row + 8 * i)), second = first;
            if (terms == 1) second = vreinterpretq_u32_u16(vld1q_u16(row + 2 * CS_PANEL + 8 * i));
            CS_UNROLL for (int r = 0; r < twos; r++) CS_NAME(multiply_pairs)(first, second, xs[r], acc[r][i]);
        }
    }
    CS_UNROLL for (int m = 0; m < rows; m++)
        CS_UNROLL for (int v = 0; v < strip; v++) {
            CS_UNROLL for (int i = 4 * v; i < 4 * v + 4; i++) {
                const float32x4_t *two = acc[m / 2][i];
                part[m][i] = m % 2 == 0 ? vuzp1q_f32(two[0], two[1]) : vuzp2q_f32(two[0], two[1]);
            }
            memcpy(&sum[m][v], part[m] + 4 * v, sizeof sum[m][v]);
        }
}

/// `x` holds pairs of bf16, [inner pairs][terms][rows].
CS_INLINE void CS_NAME(tile_bf16)(
    const int rows, const int terms, int pairs, const uint32_t *x, size_t x_stride, size_t x_term, const uint16_t *w,
    float *c, size_t c_stride, bool add, const char *ahead) {
    (void)x_stride, (void)x_term, (void)ahead;
    const int strip = CS_STRIP(rows);
    for (int s = 0; s < CS_PANEL / 16; s += strip) {
        const uint16_t *columns = w + s * 32;
        f32x16 sum[CS_ROW_TILE][4];
        CS_UNROLL for (int m = 0; m < rows; m++)
            CS_UNROLL for (int v = 0; v < strip; v++)
                sum[m][v] = add ? CS_NAME(load)(c + m * c_stride + (s + v) * 16) : (f32x16)0.0f;
        int done = 0;
        if (rows > 1) {
            done = terms == 1 ? pairs / 2 * 2 : pairs;
            CS_NAME(paired_products)(rows, terms, strip, pairs, x, columns, sum);
        }
        for (int k = done; k < pairs; k++)
            CS_UNROLL for (int t = 0; t < terms; t++)
                CS_UNROLL for (int m = 0; m < rows; m++)
                    CS_UNROLL for (int v = 0; v < strip; v++) {
                        u32x16 pair = *(const u32x16_any *)(const void *)(columns + (size_t)k * 2 * CS_PANEL + v * 32);
                        sum[m][v] = CS_NAME(dot_pairs)(sum[m][v], x[((size_t)k * terms + t) * rows + m], pair);
                    }
        CS_UNROLL for (int m = 0; m < rows; m++)
            CS_UNROLL for (int v = 0; v < strip; v++) CS_NAME(store)(c + m * c_stride + (s + v) * 16, sum[m][v]);
    }
}

/// Rounds a tile of rows to bf16 as [pairs][terms][rows], an odd last column paired with zero. The second term is what
/// the first left of x.
static void CS_NAME(round_tile)(const float *x, size_t x_stride, int rows, int inner, int terms, uint32_t *out) {
    for (int k = 0; k < inner; k += 32) {
        int left = inner - k < 32 ? inner - k : 32;
        int pairs = (left + 1) / 2;
        for (int m = 0; m < rows; m++) {
            const float *from = x + m * x_stride + k;
            uint32_t pair[16];
            f32x16 low = left >= 16 ? CS_NAME(load)(from) : CS_NAME(load_some)(from, left);
            f32x16 high = left >= 32 ? CS_NAME(load)(from + 16)
                          : left > 16 ? CS_NAME(load_some)(from + 16, left - 16)
                                      : (f32x16)0.0f;
            for (int t = 0; t < terms; t++) {
                CS_NAME(round_pairs)(&low, &high, pair);
                for (int p = 0; p < pairs; p++) out[((size_t)(k / 2 + p) * terms + t) * rows + m] = pair[p];
            }
        }
    }
}
