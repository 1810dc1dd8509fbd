// Byte products by usmmla: two columns' eight codes times two rows' eight, four sums an instruction.
//
// The same integers as one row at a time: sums of bytes are exact.

/// A row pair's codes of two groups of four inputs, `x` at the first; row by row. An odd last row stands beside zeros.
CS_INLINE int8x16_t CS_NAME(row_pair)(const int rows, const int m, const int32_t *x) {
    int32x2_t first = {x[m], 0}, second = {x[rows + m], 0};
    if (m + 1 < rows) {
        first = vld1_s32(x + m);
        second = vld1_s32(x + rows + m);
    }
    return vreinterpretq_s8_s32(vcombine_s32(vzip1_s32(first, second), vzip2_s32(first, second)));
}

/// acc[0], acc[1] += [4 columns] x [2 rows], `first` and `second` the columns' codes of two groups of four inputs.
CS_INLINE void CS_NAME(multiply_codes)(uint8x16_t first, uint8x16_t second, int8x16_t x, int32x4_t acc[2]) {
    uint32x4_t a = vreinterpretq_u32_u8(first), b = vreinterpretq_u32_u8(second);
    acc[0] = vusmmlaq_s32(acc[0], vreinterpretq_u8_u32(vzip1q_u32(a, b)), x);
    acc[1] = vusmmlaq_s32(acc[1], vreinterpretq_u8_u32(vzip2q_u32(a, b)), x);
}

/// CS_NAME(integer_sums) for two rows and more.
CS_INLINE void CS_NAME(paired_sums)(
    const int rows, const int strip, const bool packed, int quads, const int32_t *x, const uint8_t *w,
    i32x16 sum[CS_ROW_TILE][4]) {
    const int pairs = (rows + 1) / 2, quarters = 4 * strip;
    int32x4_t acc[CS_ROW_TILE / 2][8][2];
    CS_UNROLL for (int r = 0; r < pairs; r++)
        CS_UNROLL for (int i = 0; i < quarters; i++) acc[r][i][0] = acc[r][i][1] = vdupq_n_s32(0);
    for (int q = 0; q < quads; q += 2, x += 2 * rows, w += (packed ? 4 : 8) * CS_PANEL) {
        int8x16_t xs[CS_ROW_TILE / 2];
        CS_UNROLL for (int r = 0; r < pairs; r++) xs[r] = CS_NAME(row_pair)(rows, 2 * r, x);
        CS_UNROLL for (int i = 0; i < quarters; i++) {
            uint8x16_t codes = vld1q_u8(w + 16 * i);
            uint8x16_t first = packed ? vandq_u8(codes, vdupq_n_u8(15)) : codes;
            uint8x16_t second = packed ? vshrq_n_u8(codes, 4) : vld1q_u8(w + 4 * CS_PANEL + 16 * i);
            CS_UNROLL for (int r = 0; r < pairs; r++) CS_NAME(multiply_codes)(first, second, xs[r], acc[r][i]);
        }
    }
    CS_UNROLL for (int m = 0; m < rows; m++)
        CS_UNROLL for (int v = 0; v < strip; v++) {
            int32x4_t part[4];
            CS_UNROLL for (int i = 0; i < 4; i++) {
                const int32x4_t *two = acc[m / 2][4 * v + i];
                part[i] = m % 2 == 0 ? vuzp1q_s32(two[0], two[1]) : vuzp2q_s32(two[0], two[1]);
            }
            i32x16 added;
            memcpy(&added, part, sizeof added);
            sum[m][v] += added;
        }
}
