// Products with weights made of codes. Integer ones have the portable level's bits on every level; e4m3 ones are held
// against sums in f64. A row alone equals the row among others.

#include "check.h"

static const int row_counts[] = {1, 2, 3, 5, 6, 7, 16, 17, 32};
enum { MOST_ROWS = 100 };

typedef struct coded {
    cs_format format;
    int inputs, outputs;
    float *x, *weights;  // weights as the codes stand for them
    void *packed;
} coded;

static coded make(cs_format format, int inputs, int outputs) {
    const size_t groups = cs_format_groups(format, (size_t)inputs), columns = (size_t)inputs;
    coded made = {
        format, inputs, outputs, random_floats(MOST_ROWS * columns, 2), random_floats(columns * outputs, 1),
        zeroed(cs_format_bytes(format, (size_t)outputs, columns))};
    // Some blocks are all zero, and one row is not small.
    for (int k = 0; k < inputs && k < 128; k++) made.x[k] = 0, made.x[columns + k] *= 1000;
    uint8_t *codes = zeroed(columns);
    float *scales = zeroed(groups * 4), *minimums = zeroed(groups * 4);
    for (int n = 0; n < outputs; n++) {
        float *row = made.weights + (size_t)n * columns, *less = format.has_minimums ? minimums : NULL;
        cs_quantize_row(format, row, columns, codes, scales, less);
        cs_pack_codes(format, made.packed, (size_t)n, columns, codes, scales, less, 1);
        cs_dequantize_row(format, codes, scales, less, columns, row);
    }
    free(codes), free(scales), free(minimums);
    return made;
}

static void run(cs_context *context, const coded *c, int first, int rows, float *out) {
    cs_linear_args args = {
        c->x + (size_t)first * c->inputs, (size_t)c->inputs, c->packed, c->format, NULL, out, (size_t)c->outputs, rows,
        c->inputs, c->outputs};
    cs_linear(context, &args);
}

/// Against f64: e4m3 up to sums' rounding, codes up to half a step of a block's largest x (1 / 254).
static void check_plain(const char *what, cs_isa isa, const coded *c, const float *found) {
    for (int m = 0; m < MOST_ROWS; m++) {
        const float *x = c->x + (size_t)m * c->inputs;
        double largest = 0;
        for (int k = 0; k < c->inputs; k++) largest = fmax(largest, fabs(x[k]));
        for (int n = 0; n < c->outputs; n++) {
            double sum = 0, size = 0, weights = 0;
            for (int k = 0; k < c->inputs; k++) {
                double w = c->weights[(size_t)n * c->inputs + k];
                sum += w * x[k], size += fabs(w * x[k]), weights += fabs(w);
            }
            double bound = 3e-6 * (size + weights * largest) + (c->format.type == CS_F8 ? 0 : weights * largest / 254);
            expect_near(what, isa, found + (size_t)m * c->outputs + n, &sum, 1, bound);
        }
    }
}

static void check(const levels *levels, const coded *c) {
    char what[96];
    const size_t width = (size_t)c->outputs, bytes = MOST_ROWS * width * 4;
    float *portable = zeroed(bytes), *whole = zeroed(bytes), *some = zeroed(bytes);
    run(levels->contexts[0], c, 0, MOST_ROWS, portable);
    for (int l = 0; l < levels->count; l++) {
        const cs_isa isa = cs_context_isa(levels->contexts[l]);
        snprintf(what, sizeof what, "%s group %d%s [%d, %d]", c->format.type == CS_I8 ? "int8" : c->format.type == CS_I4 ? "int4" : "e4m3",
                 c->format.group, c->format.has_minimums ? " minimums" : "", c->outputs, c->inputs);
        run(levels->contexts[l], c, 0, MOST_ROWS, whole);
        check_plain(what, isa, c, whole);
        if (c->format.type != CS_F8) expect_equal(what, isa, whole, portable, MOST_ROWS * width);
        for (size_t i = 0; i < sizeof row_counts / sizeof *row_counts; i++) {
            run(levels->contexts[l], c, 1, row_counts[i], some);
            expect_equal(what, isa, some, whole + width, (size_t)row_counts[i] * width);
        }
    }
    free(portable), free(whole), free(some);
}

void check_codes(const levels *levels) {
    static const int groups[] = {0, 16, 32, 64, 128};
    static const int shapes[][2] = {{1, 1}, {37, 5}, {130, 65}, {1100, 70}, {384, 129}};
    static const cs_type scales[] = {CS_F32, CS_F16, CS_BF16};
    int made = 0;
    for (cs_type type = CS_I8; type <= CS_F8; type++)
        for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
            for (int minimums = 0; minimums < (type == CS_F8 ? 1 : 2); minimums++)
                for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
                    cs_format format = {type, groups[g], scales[made++ % 3], minimums == 1};
                    coded c = make(format, shapes[s][0], shapes[s][1]);
                    check(levels, &c);
                    free(c.x), free(c.weights), free(c.packed);
                }
}
