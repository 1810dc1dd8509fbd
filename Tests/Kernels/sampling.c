// The sampler's passes over a row of logits against plain loops.

#include "check.h"

enum { COUNT = 3001 };

static void check_comparisons(const cs_sampling *s, cs_isa isa, const float *x) {
    int greatest = 0, above = COUNT, rank = 1;
    const int place = 1234;
    for (int i = 0; i < COUNT; i++) greatest = x[i] > x[greatest] ? i : greatest;
    for (int i = COUNT - 1; i >= 100; i--) above = x[i] > 7.5f ? i : above;
    for (int i = 0; i < COUNT; i++) rank += x[i] > x[place] || (x[i] == x[place] && i < place);
    if (s->greatest(x, COUNT) != x[greatest]) fault("greatest on %s", cs_isa_name(isa));
    if (s->next_above(x, 100, COUNT, 7.5f, false) != above) fault("next_above on %s", cs_isa_name(isa));
    if (s->rank(x, COUNT, place) != rank) fault("rank on %s", cs_isa_name(isa));
}

static void check_sums(const cs_sampling *s, cs_isa isa, const float *x, float greatest) {
    static float terms[COUNT], kept[COUNT];
    static double expected[COUNT];
    double total = 0, from = 0;
    int between = 0, wrong = 0;
    for (int i = 0; i < COUNT; i++) {
        expected[i] = exp((double)(x[i] - greatest) * 0.7);
        total += expected[i];
    }
    const double found = s->exponentials(x, COUNT, greatest, 0.7f, 0, terms, NULL);
    expect_near("exponentials", isa, terms, expected, COUNT, 1e-6);
    if (fabs(found - total) > 1e-5 * total) fault("sum of exponentials on %s: %g, not %g", cs_isa_name(isa), found, total);
    const int count = s->between(terms, COUNT, 0.01f, 0.5f, kept);
    for (int i = 0; i < COUNT; i++) {
        if (terms[i] >= 0.01f) from += terms[i];
        if (terms[i] >= 0.01f && terms[i] < 0.5f) wrong += between >= count || kept[between++] != terms[i];
    }
    if (wrong || between != count) fault("between on %s", cs_isa_name(isa));
    if (fabs(s->sum_from(terms, COUNT, 0.01f, NULL) - from) > 1e-5 * from) fault("sum_from on %s", cs_isa_name(isa));
}

void check_sampling(const levels *levels) {
    float *x = random_floats(COUNT, 8);
    for (int l = 0; l < levels->count; l++) {
        const cs_isa isa = cs_context_isa(levels->contexts[l]);
        const cs_sampling *kernels = cs_sampling_kernels(isa);
        float largest, log_sum;
        check_comparisons(kernels, isa, x);
        check_sums(kernels, isa, x, kernels->greatest(x, COUNT));
        cs_log_sum_exp(levels->contexts[l], x, COUNT, &largest, &log_sum);
        double total = 0;
        for (int i = 0; i < COUNT; i++) total += exp(x[i]);
        total = log(total);
        expect_near("log_sum_exp", isa, &log_sum, &total, 1, 1e-5);
        if (x[cs_argmax(levels->contexts[l], x, COUNT)] != largest) fault("argmax on %s", cs_isa_name(isa));
    }
    free(x);
}
