// Checks every level of the kernels that this machine runs against plain loops in f64 and against the portable level.

#include <stdarg.h>

#include "check.h"

static int faults;
static uint64_t state = 0x9e3779b97f4a7c15u;

void fault(const char *format, ...) {
    if (faults++ >= 20) return;
    va_list arguments;
    va_start(arguments, format);
    fputs("FAULT ", stdout);
    vprintf(format, arguments);
    fputs("\n", stdout);
    va_end(arguments);
}

/// Source: Marsaglia, "Xorshift RNGs", 2003; the multiplier is Vigna's.
static uint32_t next(void) {
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    return (uint32_t)(state * 0x2545f4914f6cdd1du >> 32);
}

int random_below(int bound) { return (int)(next() % (uint32_t)bound); }

void fill_random(float *to, size_t count, float size) {
    for (size_t i = 0; i < count; i++) to[i] = size * ((float)(next() >> 8) * 0x1p-23f - 1);
}

float *random_floats(size_t count, float size) {
    float *made = zeroed(count * sizeof(float));
    fill_random(made, count, size);
    return made;
}

void *zeroed(size_t bytes) {
    size_t whole = (bytes + 127) / 64 * 64;
    void *made = aligned_alloc(64, whole);
    if (!made) exit(2);
    return memset(made, 0, whole);
}

void expect_near(const char *what, cs_isa isa, const float *found, const double *expected, size_t count, double bound) {
    for (size_t i = 0; i < count; i++) {
        if (fabs((double)found[i] - expected[i]) <= bound) continue;
        fault("%s on %s: number %zu of %zu is %.9g, expected %.9g within %.2g", what, cs_isa_name(isa), i, count,
              (double)found[i], expected[i], bound);
        return;
    }
}

void expect_equal(const char *what, cs_isa isa, const float *found, const float *expected, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (memcmp(found + i, expected + i, sizeof(float)) == 0) continue;
        fault("%s on %s: number %zu of %zu is %.9g, expected the bits of %.9g", what, cs_isa_name(isa), i, count,
              (double)found[i], (double)expected[i]);
        return;
    }
}

int main(void) {
    levels all = {.count = 0};
    printf("levels:");
    for (int isa = 0; isa < CS_ISA_COUNT; isa++) {
        if (!cs_isa_supported((cs_isa)isa)) continue;
        cs_context *made = cs_context_create(2, (cs_isa)isa);
        if (!made) return 2;
        all.contexts[all.count++] = made;
        printf(" %s", cs_isa_name((cs_isa)isa));
    }
    printf("; best: %s\n", cs_isa_name(cs_isa_best()));
    check_products(&all);
    check_codes(&all);
    check_attention(&all);
    check_rows(&all);
    check_sampling(&all);
    for (int l = 0; l < all.count; l++) cs_context_destroy(all.contexts[l]);
    printf(faults ? "%d faults\n" : "all equal or within bounds\n", faults);
    return faults != 0;
}
