// Quantising rows: each group's range, for four bits the scale of the least squared error, then the codes.
//
// No multiply-add is fused here, and sums run in one order: every level chooses the same codes.

/// x with the lanes from `left` on set to zero.
CS_INLINE f32x16 CS_NAME(load_left)(const float *from, size_t left) {
    return left >= 16 ? CS_NAME(load)(from) : CS_NAME(load_some)(from, (int)left);
}

/// The nearest whole number (ties to even) of x * inverse, held between low and high. NaN becomes low.
CS_INLINE f32x16 CS_NAME(steps)(f32x16 x, f32x16 inverse, float low, float high) {
    f32x16 value = x * inverse;
    value = CS_NAME(vmin)(CS_NAME(vmax)(value, (f32x16)low), (f32x16)high);
    f32x16 shifted = value + (f32x16)0x1.8p23f;
    return shifted - (f32x16)0x1.8p23f;
}

CS_INLINE void CS_NAME(store_codes)(f32x16 codes, size_t left, uint8_t *out) {
    i8x16 bytes = __builtin_convertvector(__builtin_convertvector(codes, i32x16), i8x16);
    memcpy(out, &bytes, left < 16 ? left : 16);
}

/// The scale with the least squared error among sixteen around the range's, one per lane. They leave 0.0066 of a
/// Gaussian's variance in groups of 32, where the range's alone leaves 0.0074 and any number of them 0.00655.
CS_INLINE float CS_NAME(least_error_scale)(cs_format format, const float *row, size_t count, float range_scale) {
    // The range's own scale comes first: it wins where all are as good.
    static const float shares[16] = {1,     0.82f, 0.84f, 0.86f, 0.88f, 0.9f,  0.92f, 0.94f,
                                     0.96f, 0.98f, 1.02f, 1.04f, 1.06f, 1.08f, 1.1f,  1.12f};
    float scales[16], inverses[16], errors[16];
    for (int i = 0; i < 16; i++) {
        scales[i] = cs_round_scale(format.scale_type, range_scale * shares[i]);
        inverses[i] = scales[i] != 0 ? 1 / scales[i] : 0;
    }
    const f32x16 scale = CS_NAME(load)(scales), inverse = CS_NAME(load)(inverses);
    f32x16 sums = 0;
    for (size_t i = 0; i < count; i++) {
        f32x16 value = CS_NAME(steps)((f32x16)row[i], inverse, -8, 7) * scale;
        f32x16 error = value - (f32x16)row[i];
        f32x16 square = error * error;
        sums = sums + square;
    }
    CS_NAME(store)(errors, sums);
    int best = 0;
    for (int i = 1; i < 16; i++) best = errors[i] < errors[best] ? i : best;
    return scales[best];
}

/// e4m3 of numbers: to the nearest, ties to even; beyond 448 becomes 448, NaN stays NaN.
CS_INLINE i32x16 CS_NAME(f8_codes)(f32x16 x) {
    u32x16 sign = (u32x16)x >> 24 & 0x80;
    f32x16 size = CS_NAME(vmin)((f32x16)((u32x16)x & 0x7fffffffu), (f32x16)448.0f);
    u32x16 bits = (u32x16)size;
    u32x16 normal = ((bits + 0x7ffffu + (bits >> 20 & 1)) >> 20) - (120u << 3);
    f32x16 shifted = size * (f32x16)512.0f + (f32x16)0x1.8p23f;
    u32x16 small = (u32x16)shifted - 0x4b400000u;
    i32x16 is_small = size < (f32x16)0x1p-6f;
    u32x16 code = ((u32x16)is_small & small) | (~(u32x16)is_small & normal);
    i32x16 is_number = x == x;
    code = ((u32x16)is_number & code) | (~(u32x16)is_number & 0x7f);
    return (i32x16)(code | sign);
}

static void CS_NAME(quantize_group)(
    cs_format format, const float *row, size_t count, uint8_t *codes, float *scale, float *minimum) {
    const float top = format.type == CS_I8 ? 255 : 15;
    f32x16 lows = 0, highs = 0;
    for (size_t i = 0; i < count; i += 16) {
        f32x16 x = CS_NAME(load_left)(row + i, count - i);
        lows = CS_NAME(vmin)(x, lows);
        highs = CS_NAME(vmax)(x, highs);
    }
    const float low = -CS_NAME(largest)(-lows), high = CS_NAME(largest)(highs);
    const float size = -low > high ? -low : high;
    if (format.type == CS_F8) *scale = cs_round_scale(format.scale_type, size / 448);
    else if (format.has_minimums) {
        *scale = cs_round_scale(format.scale_type, (high - low) / top);
        *minimum = cs_round_scale(format.scale_type, -low);
    } else if (format.type == CS_I8) *scale = cs_round_scale(format.scale_type, size / 127);
    // The extreme takes the code 0, which has no opposite: sixteen levels instead of fifteen.
    else *scale = CS_NAME(least_error_scale)(format, row, count, (-low >= high ? -low : -high) / 8);
    const f32x16 inverse = (f32x16)(*scale != 0 ? 1 / *scale : 0);
    for (size_t i = 0; i < count; i += 16) {
        f32x16 x = CS_NAME(load_left)(row + i, count - i);
        if (format.type == CS_F8) {
            i8x16 bytes = __builtin_convertvector(CS_NAME(f8_codes)(x * inverse), i8x16);
            memcpy(codes + i, &bytes, count - i < 16 ? count - i : 16);
        } else if (format.has_minimums) {
            f32x16 above = x + (f32x16)*minimum;
            CS_NAME(store_codes)(CS_NAME(steps)(above, inverse, 0, top), count - i, codes + i);
        } else if (format.type == CS_I8) {
            CS_NAME(store_codes)(CS_NAME(steps)(x, inverse, -127, 127) + 128.0f, count - i, codes + i);
        } else {
            CS_NAME(store_codes)(CS_NAME(steps)(x, inverse, -8, 7) + 8.0f, count - i, codes + i);
        }
    }
}

static void CS_NAME(quantize_row)(
    cs_format format, const float *row, size_t columns, uint8_t *codes, float *scales, float *minimums) {
    size_t group = format.group > 0 ? (size_t)format.group : columns;
    for (size_t g = 0, first = 0; first < columns; g++, first += group) {
        size_t count = columns - first < group ? columns - first : group;
        CS_NAME(quantize_group)(format, row + first, count, codes + first, scales + g, minimums ? minimums + g : NULL);
    }
}

/// A run of plain numbers of any alignment as f32.
static void CS_NAME(widen_row)(cs_type type, const char *from, size_t count, float *out) {
    size_t i = 0;
    if (type == CS_F32) memcpy(out, from, count * sizeof(float));
    else for (; i + 16 <= count; i += 16) {
        uint16_t half[16];
        memcpy(half, from + i * 2, sizeof half);
        CS_NAME(store)(out + i, type == CS_BF16 ? CS_NAME(load_bf16)(half) : CS_NAME(load_f16)(half));
    }
    if (type != CS_F32) cs_widen(type, from + i * 2, count - i, out + i);
}
