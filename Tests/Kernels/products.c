// Products with f32, bf16 and f16 weights: against sums in f64, and each row alone against the row among others.

#include "../../Sources/CKernels/vector_types.h"
#include "check.h"

/// Rows below, at and above the tiles of 6, 16 and 32 rows and the chunk of 96.
static const int row_counts[] = {1, 2, 5, 6, 7, 16, 17, 31, 32, 33, 40};
enum { MOST_ROWS = 100 };

typedef struct product {
    cs_type type;
    int inputs, outputs;
    float *x, *weights, *bias;  // [MOST_ROWS, inputs], [outputs, inputs], [outputs]
    void *packed;
    double sizes[MOST_ROWS];    // of a row's largest sum of magnitudes
} product;

static product make(cs_context *context, cs_type type, int inputs, int outputs) {
    const size_t count = (size_t)inputs * (size_t)outputs;
    product made = {
        type, inputs, outputs, random_floats((size_t)MOST_ROWS * inputs, 2), random_floats(count, 1),
        random_floats((size_t)outputs, 1), zeroed(cs_packed_bytes(type, (size_t)outputs, (size_t)inputs)), {0}};
    cs_pack(context, type, made.packed, 0, (size_t)inputs, made.weights, CS_F32, (size_t)inputs, (size_t)outputs);
    for (size_t i = 0; i < count; i++) {
        if (type == CS_BF16) made.weights[i] = cs_bf16_to_f32(cs_f32_to_bf16(made.weights[i]));
        if (type == CS_F16) made.weights[i] = cs_f16_to_f32(cs_f32_to_f16(made.weights[i]));
    }
    return made;
}

static void destroy(product *p) {
    free(p->x), free(p->weights), free(p->bias), free(p->packed);
}

/// What a level takes an x to be.
static double as_multiplied(const product *p, cs_isa isa, float x) {
    if (p->type != CS_BF16 || !rounds_to_bf16(isa)) return x;
    const float first = cs_bf16_to_f32(cs_f32_to_bf16(x));
    if (p->inputs > CS_TWO_TERM_INPUTS && p->outputs > CS_TWO_TERM_OUTPUTS) return first;
    return (double)first + cs_bf16_to_f32(cs_f32_to_bf16(x - first));
}

static double *expected(product *p, cs_isa isa) {
    double *sums = zeroed((size_t)MOST_ROWS * p->outputs * sizeof(double)), *x = zeroed((size_t)p->inputs * sizeof(double));
    for (int m = 0; m < MOST_ROWS; m++) {
        for (int k = 0; k < p->inputs; k++) x[k] = as_multiplied(p, isa, p->x[m * p->inputs + k]);
        for (int n = 0; n < p->outputs; n++) {
            double sum = p->bias[n], size = fabs(sum);
            for (int k = 0; k < p->inputs; k++) {
                double term = x[k] * p->weights[n * p->inputs + k];
                sum += term, size += fabs(term);
            }
            sums[m * p->outputs + n] = sum;
            p->sizes[m] = fmax(p->sizes[m], size);
        }
    }
    free(x);
    return sums;
}

static void run(cs_context *context, const product *p, int first, int rows, float *out) {
    cs_linear_args args = {
        p->x + (size_t)first * p->inputs, (size_t)p->inputs, p->packed, cs_plain(p->type), p->bias, out,
        (size_t)p->outputs, rows, p->inputs, p->outputs};
    cs_linear(context, &args);
}

static void check(cs_context *context, product *p) {
    static const char *const names[] = {"f32", "bf16", "f16"};
    const cs_isa isa = cs_context_isa(context);
    const size_t width = (size_t)p->outputs;
    double *sums = expected(p, isa);
    float *whole = zeroed(MOST_ROWS * width * 4), *some = zeroed(MOST_ROWS * width * 4);
    char what[64];
    run(context, p, 0, MOST_ROWS, whole);
    snprintf(what, sizeof what, "%s [%d, %d]", names[p->type], p->outputs, p->inputs);
    // Chains of up to 2,100 additions, each of them rounded by at most 2^-23 of what is there by then.
    for (int m = 0; m < MOST_ROWS; m++)
        expect_near(what, isa, whole + (size_t)m * width, sums + (size_t)m * width, width, 1e-6 * p->sizes[m]);
    for (size_t i = 0; i < sizeof row_counts / sizeof *row_counts; i++) {
        const int first = 11, rows = row_counts[i];
        run(context, p, first, rows, some);
        snprintf(what, sizeof what, "%s [%d, %d], %d rows alone", names[p->type], p->outputs, p->inputs, rows);
        expect_equal(what, isa, some, whole + (size_t)first * width, (size_t)rows * width);
    }
    free(sums), free(whole), free(some);
}

void check_products(const levels *levels) {
    // Odd inputs and outputs, one term of x and two, more inputs than a run of 2,048.
    static const int shapes[][2] = {{1, 1}, {37, 5}, {64, 64}, {130, 65}, {545, 261}, {544, 320}, {2085, 257}};
    for (cs_type type = CS_F32; type <= CS_F16; type++)
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            product p = make(levels->contexts[0], type, shapes[s][0], shapes[s][1]);
            for (int l = 0; l < levels->count; l++) check(levels->contexts[l], &p);
            destroy(&p);
        }
}
