// Packing plain matrices: blocks of 16 rows are brought to the packed type and turned, so that reads and writes are whole
// cache lines.

/// word[i][j] becomes word[j][i]: halves, quarters, eighths and sixteenths change places.
CS_INLINE void CS_NAME(turn)(u32x16 word[16]) {
#define CS_SWAP(step, keep, give)                                                                      \
    CS_UNROLL for (int i = 0; i < 16; i++) {                                                           \
        if (i & step) continue;                                                                        \
        u32x16 low = word[i], high = word[i | step];                                                   \
        word[i] = __builtin_shufflevector(low, high, keep);                                            \
        word[i | step] = __builtin_shufflevector(low, high, give);                                     \
    }
#define CS_LANES(...) __VA_ARGS__
    CS_SWAP(8, CS_LANES(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
            CS_LANES(8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
    CS_SWAP(4, CS_LANES(0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
            CS_LANES(4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
    CS_SWAP(2, CS_LANES(0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
            CS_LANES(2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
    CS_SWAP(1, CS_LANES(0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),
            CS_LANES(1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
#undef CS_LANES
#undef CS_SWAP
}

/// 16 plain numbers as f32.
CS_INLINE f32x16 CS_NAME(load_plain)(const cs_type type, const char *from) {
    return type == CS_F32    ? CS_NAME(load)((const float *)(const void *)from)
           : type == CS_BF16 ? CS_NAME(load_bf16)((const uint16_t *)(const void *)from)
                             : CS_NAME(load_f16)((const uint16_t *)(const void *)from);
}

/// 16 numbers rounded to 16 bits.
CS_INLINE u16x16 CS_NAME(halve)(const cs_type type, f32x16 value) {
    u32x16 bits = (u32x16)value;
    if (type == CS_BF16) {
        u32x16 rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
        u32x16 is_nan = (u32x16)((bits & 0x7fffffff) > 0x7f800000);
        return __builtin_convertvector((is_nan & (bits >> 16 | 0x40)) | (~is_nan & rounded), u16x16);
    }
    u16x16 half;
    for (int i = 0; i < 16; i++) half[i] = cs_f32_to_f16(value[i]);
    return half;
}

/// 64 bytes of a row in the packed type: 16 numbers of f32, or 32 of 16 bits.
CS_INLINE u32x16 CS_NAME(row_words)(const cs_type type, const cs_type source_type, const char *from) {
    if (type == source_type) return *(const u32x16_any *)(const void *)from;
    if (type == CS_F32) return (u32x16)CS_NAME(load_plain)(source_type, from);
    u16x16 first = CS_NAME(halve)(type, CS_NAME(load_plain)(source_type, from));
    u16x16 second = CS_NAME(halve)(type, CS_NAME(load_plain)(source_type, from + 16 * (source_type == CS_F32 ? 4 : 2)));
    u32x16 words;
    memcpy(&words, &first, sizeof first);
    memcpy((char *)&words + sizeof first, &second, sizeof second);
    return words;
}

/// 16 rows and 16 or 32 columns; `to` is where the first number goes.
CS_INLINE void CS_NAME(pack_block)(
    const cs_type type, const cs_type source_type, const char *from, size_t row_bytes, char *to) {
    u32x16 word[16];
    CS_UNROLL for (int r = 0; r < 16; r++) word[r] = CS_NAME(row_words)(type, source_type, from + r * row_bytes);
    CS_NAME(turn)(word);
    CS_UNROLL for (int i = 0; i < 16; i++) {
        if (type == CS_F16) {
            u16x16 even = __builtin_convertvector(word[i], u16x16), odd = __builtin_convertvector(word[i] >> 16, u16x16);
            memcpy(to + (size_t)i * 4 * CS_PANEL, &even, sizeof even);
            memcpy(to + (size_t)i * 4 * CS_PANEL + 2 * CS_PANEL, &odd, sizeof odd);
        } else {
            memcpy(to + (size_t)i * 4 * CS_PANEL, &word[i], sizeof word[i]);
        }
    }
}

/// `blocks` runs of 16 rows and the columns first ..< last, a multiple of 32, of one panel.
CS_INLINE void CS_NAME(pack_strip)(
    const cs_type type, const cs_type source_type, const char *from, size_t row_bytes, int blocks, size_t columns, char *to) {
    const size_t step = type == CS_F32 ? 16 : 32;
    const size_t bytes = type == CS_F32 ? 4 : 2, lane_bytes = type == CS_F16 ? 2 : 4;
    for (size_t k = 0; k < columns; k += step)
        for (int b = 0; b < blocks; b++)
            CS_NAME(pack_block)(
                type, source_type, from + (size_t)b * 16 * row_bytes + k * (source_type == CS_F32 ? 4 : 2), row_bytes,
                to + k * CS_PANEL * bytes + (size_t)b * 16 * lane_bytes);
}

static void CS_NAME(pack_strips)(
    cs_type type, cs_type source_type, const char *from, size_t row_bytes, int blocks, size_t columns, char *to) {
#define CS_PAIR(a, b) \
    if (type == a && source_type == b) CS_NAME(pack_strip)(a, b, from, row_bytes, blocks, columns, to);
    CS_PAIR(CS_F32, CS_F32)
    CS_PAIR(CS_F32, CS_BF16)
    CS_PAIR(CS_F32, CS_F16)
    CS_PAIR(CS_BF16, CS_F32)
    CS_PAIR(CS_BF16, CS_BF16)
    CS_PAIR(CS_BF16, CS_F16)
    CS_PAIR(CS_F16, CS_F32)
    CS_PAIR(CS_F16, CS_BF16)
    CS_PAIR(CS_F16, CS_F16)
#undef CS_PAIR
}
