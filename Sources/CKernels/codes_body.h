// out = x * weight^T for weights made of codes: activations quantised per row and block of 128 inputs, integer sums per
// weight group, one chain of multiply-adds per output over the groups and blocks in order.
//
// Integer sums are exact, so neither the level nor the number of rows changes them; the float chain is the same for all
// rows and levels, its multiply-adds rounded once everywhere. Sources for the formats: CKernels.h.

#include "gemm_tile.h"

/// a * b + c, rounded once: where the machine cannot, in software.
CS_INLINE f32x16 CS_NAME(fused)(f32x16 a, f32x16 b, f32x16 c) { return __builtin_elementwise_fma(a, b, c); }

#include "codes_dot.h"

// MARK: Quantising activations

/// One row's block of up to 128 inputs: its codes, the sum of the codes of each `sum_inputs`, and its scale.
CS_INLINE float CS_NAME(quantize_block)(const float *x, int count, int sum_inputs, int8_t *codes, int32_t *sums) {
    f32x16 size = 0;
    for (int i = 0; i < count; i += 16) {
        f32x16 value = i + 16 <= count ? CS_NAME(load)(x + i) : CS_NAME(load_some)(x + i, count - i);
        size = CS_NAME(vmax)((f32x16)((u32x16)value & 0x7fffffffu), size);
    }
    float largest = CS_NAME(largest)(size);
    float inverse = largest > 0 ? 127 / largest : 0;
    for (int g = 0; g < count; g += sum_inputs) {
        i32x16 total = 0;
        for (int i = g; i < g + sum_inputs && i < count; i += 16) {
            f32x16 value = i + 16 <= count ? CS_NAME(load)(x + i) : CS_NAME(load_some)(x + i, count - i);
            // Adding 1.5 * 2^23 rounds to the nearest even integer and leaves it in the low bits.
            f32x16 rounded = CS_NAME(fused)(value, (f32x16)inverse, (f32x16)0x1.8p23f);
            i32x16 code = (i32x16)rounded - 0x4b400000;
            i8x16 bytes = __builtin_convertvector(code, i8x16);
            memcpy(codes + i, &bytes, 16);
            total += code;
        }
        sums[g / sum_inputs] = __builtin_reduce_add(total);
    }
    return largest / 127;
}

/// Lays rows first ..< first + rows of x out as one tile; `by_rows`: codes [rows][inputs] instead of [inputs / 4][rows][4].
CS_INLINE void CS_NAME(codes_tile)(
    const cs_linear_args *args, const cs_tile_layout *layout, int first, const int rows, const bool by_rows, char *tile) {
    int32_t *quads = (int32_t *)(void *)tile;
    int32_t *starts = (int32_t *)(void *)(tile + (size_t)layout->inputs * rows);
    float *scales = (float *)(starts + (size_t)layout->sums * rows);
    const int zero = args->format.type == CS_I8 ? 128 - CS_NAME(BIAS) : 8;
    for (int m = 0; m < rows; m++) {
        const float *x = args->x + (size_t)(first + m) * args->x_stride;
        for (int b = 0; b < layout->blocks; b++) {
            int8_t codes[CS_INPUT_BLOCK];
            int32_t sums[CS_INPUT_BLOCK / 16];
            int k = b * CS_INPUT_BLOCK;
            int count = args->inputs - k < CS_INPUT_BLOCK ? args->inputs - k : CS_INPUT_BLOCK;
            int padded = layout->inputs - k < CS_INPUT_BLOCK ? layout->inputs - k : CS_INPUT_BLOCK;
            scales[(size_t)b * rows + m] = CS_NAME(quantize_block)(x + k, count, layout->sum_inputs, codes, sums);
            if (by_rows) memcpy(tile + (size_t)m * layout->inputs + k, codes, (size_t)padded);
            else
                for (int q = 0; q < padded / 4; q++) memcpy(&quads[((size_t)(k / 4) + q) * rows + m], codes + 4 * q, 4);
            for (int g = 0; g * layout->sum_inputs < count; g++) {
                size_t place = ((size_t)(k / layout->sum_inputs) + g) * rows + m;
                float less = (float)-sums[g];
                if (args->format.has_minimums) memcpy(&starts[place], &less, 4);
                else starts[place] = -zero * sums[g];
            }
        }
    }
}

// MARK: Tiles

/// What a tile of a panel reads: everything at its first input.
typedef struct CS_NAME(operands) {
    const int32_t *quads;    // [inputs / 4][rows]
    const int32_t *starts;   // [sums][rows]
    const float *x_scales;   // [blocks][rows]
    const uint8_t *weights;
    const char *scales;      // [sums][64] of scale_type; [64] where one stands for every sum
    const char *minimums;    // the same, where the format has them
    cs_type scale_type;
    int sum_scales;          // scales from one sum's to the next one's: 64 or 0
    int inputs;
    int sum_inputs;
#if defined(CS_HAS_DOTPROD)
    int bias;                // taken off each code
#endif
} CS_NAME(operands);

#if defined(CS_HAS_I8MM)
#include "codes_neon.h"
#endif

/// What an integer sum starts at. With minimums `start` is minus the sum of x's codes, as f32.
CS_INLINE i32x16 CS_NAME(first_sum)(const bool minimums, const CS_NAME(operands) *o, int32_t start) {
    if (!minimums) return (i32x16)start;
#if defined(CS_HAS_DOTPROD)
    float less;
    memcpy(&less, &start, 4);
    return (i32x16)(-o->bias * (int32_t)less);
#else
    (void)o;
    return (i32x16)0;
#endif
}

/// The integer sums of `quads` groups of four inputs over `strip` vectors of columns; `w` at the first of them.
CS_INLINE void CS_NAME(integer_sums)(
    const int rows, const int strip, const bool packed, int quads, const int32_t *x, const uint8_t *w,
    i32x16 sum[CS_ROW_TILE][4]) {
#if defined(CS_HAS_I8MM)
    if (rows > 1) {
        CS_NAME(paired_sums)(rows, strip, packed, quads, x, w, sum);
        return;
    }
#endif
    if (packed) {
        for (int q = 0; q < quads; q += 2, w += 4 * CS_PANEL, x += 2 * rows)
            CS_UNROLL for (int v = 0; v < strip; v++)
                CS_UNROLL for (int m = 0; m < rows; m++) {
                    sum[m][v] = CS_NAME(dot_low)(sum[m][v], w + v * 64, x[m]);
                    sum[m][v] = CS_NAME(dot_high)(sum[m][v], w + v * 64, x[rows + m]);
                }
    } else {
        for (int q = 0; q < quads; q++, w += 4 * CS_PANEL, x += rows)
            CS_UNROLL for (int m = 0; m < rows; m++)
                CS_UNROLL for (int v = 0; v < strip; v++)
                    sum[m][v] = CS_NAME(dot)(sum[m][v], w + v * 64, x[m]);
    }
}

/// 16 scales or minimums from number `at` on: a branch that always goes the same way, and no second copy in f32.
CS_INLINE f32x16 CS_NAME(load_scales)(cs_type type, const char *from, size_t at) {
    if (type == CS_F32) return CS_NAME(load)((const float *)(const void *)from + at);
    const uint16_t *half = (const uint16_t *)(const void *)from + at;
    return type == CS_BF16 ? CS_NAME(load_bf16)(half) : CS_NAME(load_f16)(half);
}

/// block[m, v] (+)= scale * sum - minimum * the sum of x's codes, for sum number g over the columns from `column` on.
CS_INLINE void CS_NAME(add_sums)(
    const int rows, const int strip, const bool minimums, const bool add, const CS_NAME(operands) *o, int g, int column,
    i32x16 sum[CS_ROW_TILE][4], f32x16 block[CS_ROW_TILE][4]) {
    CS_UNROLL for (int v = 0; v < strip; v++) {
        size_t at = (size_t)g * o->sum_scales + column + v * 16;
        f32x16 scale = CS_NAME(load_scales)(o->scale_type, o->scales, at);
        CS_UNROLL for (int m = 0; m < rows; m++) {
            f32x16 value = __builtin_convertvector(sum[m][v], f32x16);
            block[m][v] = add ? CS_NAME(fused)(value, scale, block[m][v]) : value * scale;
            if (minimums) {
                float less;
                memcpy(&less, &o->starts[g * rows + m], 4);
                f32x16 minimum = CS_NAME(load_scales)(o->scale_type, o->minimums, at);
                block[m][v] = CS_NAME(fused)(minimum, CS_NAME(splat)(less), block[m][v]);
            }
        }
    }
}

/// c[m, 0 ..< 64] (+)= the blocks of `o` in order. `fine`: several sums to a block of activations.
CS_INLINE void CS_NAME(tile_codes)(
    const int rows, const bool packed, const bool fine, const bool minimums, const CS_NAME(operands) *o, float *c,
    bool add) {
    const int strip = CS_STRIP(rows);
    for (int column = 0; column < CS_PANEL; column += strip * 16) {
        const uint8_t *w = o->weights + column * 4;
        const int32_t *x = o->quads, *start = o->starts;
        for (int k = 0, g = 0; k < o->inputs; k += CS_INPUT_BLOCK) {
            int left = o->inputs - k < CS_INPUT_BLOCK ? o->inputs - k : CS_INPUT_BLOCK;
            f32x16 block[CS_ROW_TILE][4];
            if (fine)
                CS_UNROLL for (int m = 0; m < rows; m++)
                    CS_UNROLL for (int v = 0; v < strip; v++) block[m][v] = 0.0f;
            do {
                int quads = (fine && left > o->sum_inputs ? o->sum_inputs : left) / 4;
                i32x16 sum[CS_ROW_TILE][4];
                CS_UNROLL for (int m = 0; m < rows; m++)
                    CS_UNROLL for (int v = 0; v < strip; v++) sum[m][v] = CS_NAME(first_sum)(minimums, o, start[m]);
                CS_NAME(integer_sums)(rows, strip, packed, quads, x, w, sum);
                CS_NAME(add_sums)(rows, strip, minimums, fine, o, g, column, sum, block);
                x += quads * rows, start += rows, g++;
                w += (size_t)quads * CS_PANEL * (packed ? 2 : 4);
                left -= quads * 4;
            } while (fine && left > 0);
            CS_UNROLL for (int m = 0; m < rows; m++)
                CS_UNROLL for (int v = 0; v < strip; v++) {
                    float *to = c + m * CS_PANEL + column + v * 16;
                    f32x16 before = add || k > 0 ? CS_NAME(load)(to) : (f32x16)0.0f;
                    f32x16 scale = CS_NAME(splat)(o->x_scales[k / CS_INPUT_BLOCK * rows + m]);
                    CS_NAME(store)(to, CS_NAME(fused)(block[m][v], scale, before));
                }
        }
    }
}

/// A tile of 1 to 6 rows, 1 to 3 where the sums are fine.
#define CS_TILES(fine, name)                                                                             \
    static void CS_NAME(name)(                                                                           \
        int rows, bool packed, bool minimums, const CS_NAME(operands) *o, float *c, bool add) {          \
        switch (rows * 4 + packed * 2 + minimums) {                                                      \
        CS_EACH_ROWS(fine)                                                                               \
        default: break;                                                                                  \
        }                                                                                                \
    }
#define CS_EACH_FORM(n, fine)                                                        \
    case n * 4: CS_NAME(tile_codes)(n, false, fine, false, o, c, add); break;        \
    case n * 4 + 1: CS_NAME(tile_codes)(n, false, fine, true, o, c, add); break;     \
    case n * 4 + 2: CS_NAME(tile_codes)(n, true, fine, false, o, c, add); break;     \
    case n * 4 + 3: CS_NAME(tile_codes)(n, true, fine, true, o, c, add); break;
#define CS_EACH_ROWS(fine) CS_EACH_FORM(1, fine) CS_EACH_FORM(2, fine) CS_EACH_FORM(3, fine)
CS_TILES(true, fine_tile)
#undef CS_EACH_ROWS
#define CS_EACH_ROWS(fine)                                                                    \
    CS_EACH_FORM(1, fine) CS_EACH_FORM(2, fine) CS_EACH_FORM(3, fine) CS_EACH_FORM(4, fine) \
    CS_EACH_FORM(5, fine) CS_EACH_FORM(6, fine)
CS_TILES(false, coarse_tile)
#undef CS_EACH_ROWS
#undef CS_EACH_FORM
#undef CS_TILES

// MARK: Panels

/// [inputs / 8][64][4] halves of bytes as [inputs / 4][64][4] bytes.
static void CS_NAME(unpack)(const uint8_t *packed, int inputs, uint8_t *codes) {
    for (int k = 0; k < inputs; k += 8, packed += 4 * CS_PANEL, codes += 8 * CS_PANEL)
        for (int i = 0; i < 4 * CS_PANEL; i++) {
            codes[i] = (packed[i] & 15) ^ CS_NAME(BIAS);
            codes[4 * CS_PANEL + i] = (packed[i] >> 4) ^ CS_NAME(BIAS);
        }
}

/// Where a panel's codes, scales and minimums stand.
typedef struct CS_NAME(panel_parts) {
    const uint8_t *codes;
    const char *scales;
    const char *minimums;
} CS_NAME(panel_parts);

static CS_NAME(panel_parts) CS_NAME(parts)(const cs_linear_args *args, int panel) {
    size_t inputs = ((size_t)args->inputs + 7) / 8 * 8;
    size_t bytes = CS_PANEL * inputs / (args->format.type == CS_I4 ? 2 : 1);
    const char *codes = (const char *)args->weight + (size_t)panel * cs_panel_bytes(args->format, (size_t)args->inputs);
    size_t scales = CS_PANEL * cs_format_groups(args->format, (size_t)args->inputs) * cs_type_bytes(args->format.scale_type);
    CS_NAME(panel_parts) parts = {(const uint8_t *)codes, codes + bytes, codes + bytes + scales};
    return parts;
}

static void CS_NAME(codes_finish)(const cs_linear_args *args, int panel, int row, const float *sums) {
    int column = panel * CS_PANEL;
    int width = args->outputs - column < CS_PANEL ? args->outputs - column : CS_PANEL;
    float *out = args->out + (size_t)row * args->out_stride + column;
    for (int n = 0; n < width; n++) out[n] = args->bias ? sums[n] + args->bias[column + n] : sums[n];
}

/// One run of inputs, k ..< k + inputs, for all tiles of a chunk. `many`: they share unpacked codes, and the next run is
/// fetched into the second-level cache meanwhile.
static void CS_NAME(codes_run)(
    const cs_linear_args *args, const cs_tile_layout *layout, const CS_NAME(panel_parts) *parts, int k, int inputs,
    int count, bool many, const char *tiles, cs_code_room *room) {
    const int tile_rows = cs_code_tile(args->format), sum = layout->sum_inputs;
    const bool halves = args->format.type == CS_I4, unpacks = halves && many;
    const uint8_t *codes = parts->codes + (size_t)k * CS_PANEL / (halves ? 2 : 1);
    const size_t bytes = (size_t)inputs * CS_PANEL / (halves ? 2 : 1);
    const char *next = (const char *)codes + bytes;
    const int sum_scales = args->format.group > 0 ? CS_PANEL : 0;
    const size_t scales_at = (size_t)(k / sum) * sum_scales * cs_type_bytes(args->format.scale_type);
    size_t ahead = 0;
    if (unpacks) CS_NAME(unpack)(codes, inputs, room->codes);
    for (int m = 0, rows; m < count; m += rows) {
        rows = cs_tile_rows(count - m, tile_rows);
        for (size_t end = many ? bytes * (size_t)(m + rows) / (size_t)count : 0; ahead < end; ahead += 64)
            __builtin_prefetch(next + ahead, 0, 2);
        const char *tile = tiles + (size_t)m * layout->row_bytes;
        const int32_t *starts = (const int32_t *)(const void *)(tile + (size_t)layout->inputs * rows);
        const float *x_scales = (const float *)(const void *)(starts + (size_t)layout->sums * rows);
        const CS_NAME(operands) operands = {
            (const int32_t *)(const void *)tile + (size_t)(k / 4) * rows, starts + (size_t)(k / sum) * rows,
            x_scales + (size_t)(k / CS_INPUT_BLOCK) * rows, unpacks ? room->codes : codes, parts->scales + scales_at,
            parts->minimums + scales_at, args->format.scale_type, sum_scales, inputs, sum,
#if defined(CS_HAS_DOTPROD)
            halves ? 0 : CS_NAME(BIAS),
#endif
        };
        const bool packed = halves && !unpacks, minimums = args->format.has_minimums;
        float *sums = room->sums + m * CS_PANEL;
        if (sum < CS_INPUT_BLOCK) CS_NAME(fine_tile)(rows, packed, minimums, &operands, sums, k > 0);
        else CS_NAME(coarse_tile)(rows, packed, minimums, &operands, sums, k > 0);
    }
}

/// Rows first ..< first + count of one panel of integer codes; `tiles` as codes_prepare left them.
static void CS_NAME(codes_panel)(
    const cs_linear_args *args, int panel, int first, int count, const char *tiles, cs_code_room *room) {
    const cs_tile_layout layout = cs_tile_layout_of(args);
    const CS_NAME(panel_parts) parts = CS_NAME(parts)(args, panel);
    const bool many = count > cs_code_tile(args->format) * (layout.sum_inputs < CS_INPUT_BLOCK ? 1 : 2);
    const int run = many ? CS_SHORT_RUN : layout.inputs;
    for (int i = 0; i < 4; i++) __builtin_prefetch(parts.scales + 64 * i);
    for (int k = 0; k < layout.inputs; k += run) {
        int inputs = layout.inputs - k < run ? layout.inputs - k : run;
        CS_NAME(codes_run)(args, &layout, &parts, k, inputs, count, many, tiles, room);
    }
    for (int m = 0; m < count; m++) CS_NAME(codes_finish)(args, panel, first + m, room->sums + m * CS_PANEL);
}

static void CS_NAME(codes_prepare)(const cs_linear_args *args, int first, int count, char *tiles) {
    const cs_tile_layout layout = cs_tile_layout_of(args);
    const int tile_rows = cs_code_tile(args->format);
    for (int m = 0, rows; m < count; m += rows) {
        rows = cs_tile_rows(count - m, tile_rows);
        CS_NAME(codes_tile)(args, &layout, first + m, rows, false, tiles + (size_t)m * layout.row_bytes);
    }
}

// MARK: e4m3

/// One row of a panel's block: 64 codes of one input, every fourth byte, as f32.
CS_INLINE void CS_NAME(widen_f8)(const uint8_t *from, int lane, float *out) {
    for (int n = 0; n < CS_PANEL; n += 16) {
        u32x16 code = *(const u32x16_any *)(const void *)(from + n * 4) >> (8 * lane);
        // Exponent and fraction at f32's place are the number times 2^-120, subnormals too.
        f32x16 size = (f32x16)((code & 0x7f) << 20) * 0x1p120f;
        CS_NAME(store)(out + n, (f32x16)((u32x16)size | (code & 0x80) << 24));
    }
}

/// Rows of one panel of e4m3: a block of 128 inputs at a time is widened, multiplied and scaled. x stays f32.
static void CS_NAME(float_panel)(const cs_linear_args *args, int panel, int first, int count, cs_code_room *room) {
    const CS_NAME(panel_parts) parts = CS_NAME(parts)(args, panel);
    const int sum = cs_sum_inputs(args->format);
    for (int k = 0; k < args->inputs; k += sum) {
        int inputs = args->inputs - k < sum ? args->inputs - k : sum;
        float *block = room->products, *wide = room->wide;
        for (int i = 0; i < inputs; i++)
            CS_NAME(widen_f8)(parts.codes + (size_t)((k + i) / 4) * 4 * CS_PANEL, (k + i) % 4, wide + i * CS_PANEL);
        CS_NAME(product_f32)(
            count, inputs, args->x + (size_t)first * args->x_stride + k, args->x_stride, wide, block, CS_PANEL, false);
        const size_t scales_at = args->format.group > 0 ? (size_t)(k / sum) * CS_PANEL : 0;
        for (int m = 0; m < count; m++)
            for (int n = 0; n < CS_PANEL; n += 16) {
                float *to = room->sums + m * CS_PANEL + n;
                f32x16 before = k > 0 ? CS_NAME(load)(to) : (f32x16)0.0f;
                f32x16 product = CS_NAME(load)(block + m * CS_PANEL + n);
                f32x16 scale = CS_NAME(load_scales)(args->format.scale_type, parts.scales, scales_at + n);
                CS_NAME(store)(to, CS_NAME(madd)(product, scale, before));
            }
    }
    for (int m = 0; m < count; m++)
        CS_NAME(codes_finish)(args, panel, first + m, room->sums + m * CS_PANEL);
}
#undef CS_STRIP
