// Norms, activations, rotations, sums, softmax and quantisation against libm and plain loops.

#include "check.h"

enum { ROWS = 3, COLUMNS = 133 };

static void check_norms(cs_context *context) {
    float *x = random_floats(ROWS * COLUMNS, 3), *delta = random_floats(ROWS * COLUMNS, 1), *w = random_floats(COLUMNS, 2);
    float out[ROWS * COLUMNS], both[ROWS * COLUMNS], residual[ROWS * COLUMNS];
    double norm[ROWS * COLUMNS];
    memcpy(residual, x, sizeof residual);
    for (int i = 0; i < ROWS * COLUMNS; i++) x[i] += delta[i];
    for (int r = 0; r < ROWS; r++) {
        double square = 0;
        for (int c = 0; c < COLUMNS; c++) square += (double)x[r * COLUMNS + c] * x[r * COLUMNS + c];
        for (int c = 0; c < COLUMNS; c++) norm[r * COLUMNS + c] = x[r * COLUMNS + c] * w[c] / sqrt(square / COLUMNS + 1e-5);
    }
    cs_rms_norm(context, x, COLUMNS, w, 1e-5f, ROWS, COLUMNS, out, COLUMNS);
    expect_near("rms_norm", cs_context_isa(context), out, norm, ROWS * COLUMNS, 3e-6);
    cs_add_norm(context, delta, COLUMNS, residual, COLUMNS, w, 1e-5f, ROWS, COLUMNS, both, COLUMNS);
    expect_equal("add_norm", cs_context_isa(context), both, out, ROWS * COLUMNS);
    free(x), free(delta), free(w);
}

static double activation(cs_activation kind, double x) {
    switch (kind) {
    case CS_SILU: return x / (1 + exp(-x));
    case CS_GELU: return x / 2 * (1 + erf(x / sqrt(2)));
    case CS_GELU_TANH: return x / 2 * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    default: return x > 0 ? x : 0;
    }
}

static void check_activations(cs_context *context) {
    float *x = random_floats(ROWS * 2 * COLUMNS, 6), out[ROWS * COLUMNS];
    double expected[ROWS * COLUMNS];
    for (cs_activation kind = CS_SILU; kind <= CS_RELU; kind++) {
        for (int i = 0; i < ROWS * COLUMNS; i++) {
            const float *row = x + i / COLUMNS * 2 * COLUMNS + i % COLUMNS;
            expected[i] = activation(kind, row[0]) * row[COLUMNS];
        }
        cs_activate(context, kind, x, 2 * COLUMNS, ROWS, COLUMNS, out, COLUMNS);
        expect_near("activation", cs_context_isa(context), out, expected, ROWS * COLUMNS, 1e-5);
    }
    free(x);
}

static void check_rotation(cs_context *context) {
    enum { heads = 3, dim = 20, half = 6, positions = 9 };
    float *x = random_floats(ROWS * heads * dim, 1), *tables = random_floats(2 * positions * half, 1), turned[ROWS * heads * dim];
    const int32_t at[ROWS] = {8, 0, 5};
    double expected[ROWS * heads * dim];
    for (int i = 0; i < ROWS * heads * dim; i++) {
        const int d = i % dim, other = d < half ? i + half : i - half;
        const float *cosines = tables + at[i / (heads * dim)] * half, *sines = cosines + positions * half;
        expected[i] = x[i];
        if (d < 2 * half) expected[i] = (double)x[i] * cosines[d % half] + (d < half ? -1.0 : 1.0) * x[other] * sines[d % half];
    }
    memcpy(turned, x, sizeof turned);
    cs_rotate(context, turned, heads * dim, at, tables, tables + positions * half, 2 * half, ROWS, heads, dim);
    expect_near("rotation", cs_context_isa(context), turned, expected, ROWS * heads * dim, 3e-7);
    free(x), free(tables);
}

static void check_sums(cs_context *context) {
    float *x = random_floats(ROWS * COLUMNS, 4), *delta = random_floats(ROWS * COLUMNS, 4), out[ROWS * COLUMNS];
    double expected[ROWS * COLUMNS];
    const cs_isa isa = cs_context_isa(context);
    for (int i = 0; i < ROWS * COLUMNS; i++) expected[i] = x[i] + delta[i];
    memcpy(out, x, sizeof out);
    cs_add(context, delta, COLUMNS, out, COLUMNS, ROWS, COLUMNS);
    expect_near("addition", isa, out, expected, ROWS * COLUMNS, 1e-6);
    for (int i = 0; i < ROWS * COLUMNS; i++) expected[i] = 2.5 * tanh(x[i] / 2.5);
    memcpy(out, x, sizeof out);
    cs_softcap(context, out, COLUMNS, 2.5f, ROWS, COLUMNS);
    expect_near("softcap", isa, out, expected, ROWS * COLUMNS, 2e-6);
    for (int r = 0; r < ROWS; r++) {
        double total = 0;
        for (int c = 0; c < COLUMNS; c++) total += exp(x[r * COLUMNS + c]);
        for (int c = 0; c < COLUMNS; c++) expected[r * COLUMNS + c] = exp(x[r * COLUMNS + c]) / total;
    }
    memcpy(out, x, sizeof out);
    cs_softmax(context, out, COLUMNS, ROWS, COLUMNS);
    expect_near("softmax", isa, out, expected, ROWS * COLUMNS, 1e-6);
    free(x), free(delta);
}

/// exp, tanh and erf over their range.
static void check_functions(cs_context *context) {
    enum { count = 4001 };
    static float x[count], y[count];
    for (cs_function f = CS_EXP; f <= CS_ERF; f++) {
        for (int i = 0; i < count; i++) x[i] = ((float)i - count / 2) * (f == CS_EXP ? 0.04f : 0.005f);
        cs_map(context, f, x, count, y);
        for (int i = 0; i < count; i++) {
            double exact = f == CS_EXP ? exp(x[i]) : f == CS_TANH ? tanh(x[i]) : erf(x[i]);
            expect_near("function", cs_context_isa(context), y + i, &exact, 1, 4e-7 * (exact > 1 ? exact : 1));
        }
    }
}

/// Quantising while loading gives the portable level's bytes.
static void check_quantisation(cs_context *portable, cs_context *context) {
    enum { rows = 70, columns = 200 };
    float *weights = random_floats(rows * columns, 1);
    for (cs_type type = CS_I8; type <= CS_F8; type++)
        for (int minimums = 0; minimums < (type == CS_F8 ? 1 : 2); minimums++) {
            cs_format format = {type, type == CS_I4 ? 32 : 0, CS_BF16, minimums == 1};
            const size_t bytes = cs_format_bytes(format, rows, columns);
            char *expected = zeroed(bytes), *found = zeroed(bytes);
            cs_quantize(portable, format, expected, 0, columns, weights, CS_F32, columns, rows);
            cs_quantize(context, format, found, 0, columns, weights, CS_F32, columns, rows);
            if (memcmp(expected, found, bytes) != 0)
                fault("quantising type %d on %s gives other bytes", type, cs_isa_name(cs_context_isa(context)));
            free(expected), free(found);
        }
    free(weights);
}

void check_rows(const levels *levels) {
    for (int l = 0; l < levels->count; l++) {
        check_norms(levels->contexts[l]);
        check_activations(levels->contexts[l]);
        check_rotation(levels->contexts[l]);
        check_sums(levels->contexts[l]);
        check_functions(levels->contexts[l]);
        check_quantisation(levels->contexts[0], levels->contexts[l]);
    }
}
