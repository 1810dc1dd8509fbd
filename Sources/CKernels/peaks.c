// What this machine can do at most: memory read, and arithmetic per second, with all of a context's threads.

#include <limits.h>

#define CS_BODY "peaks_body.h"
#define CS_WITH_BYTE_DOTS
#include "table.h"
#include "vector_types.h"

#include "every_isa.h"

#if defined(__x86_64__)
#include "peaks_amx.h"
#endif

typedef struct reading {
    cs_isa isa;
    const char *memory;
    size_t bytes, piece;
    int times;
    atomic_uint sum;
} reading;

static void read_pieces(void *context, int thread, int first, int last) {
    (void)thread;
    reading *r = context;
    uint32_t sum = 0;
    for (int i = first; i < last; i++) {
        size_t start = (size_t)i * r->piece;
        size_t count = r->bytes - start < r->piece ? r->bytes - start : r->piece;
        for (int t = 0; t < r->times; t++)
            sum += CS_PICK_BYTES(r->isa, peak_read)((const uint32_t *)(const void *)(r->memory + start), count / 4);
    }
    atomic_fetch_add(&r->sum, sum);
}

uint32_t cs_peak_read(cs_context *context, const void *memory, size_t bytes, size_t piece, int times) {
    reading r = {.isa = context->isa, .memory = memory, .bytes = bytes, .piece = piece, .times = times};
    cs_spread(context, read_pieces, &r, (int)((bytes + piece - 1) / piece), LONG_MAX);
    return atomic_load(&r.sum);
}

typedef struct computing {
    cs_isa isa;
    cs_arithmetic arithmetic;
    int rounds;
    atomic_int sum;
} computing;

static void compute_items(void *context, int thread, int first, int last) {
    (void)thread;
    computing *c = context;
    for (int i = first; i < last; i++) {
        float sum = 0;
        switch (c->arithmetic) {
        case CS_ARITHMETIC_F32: sum = CS_PICK_BYTES(c->isa, peak_f32)(c->rounds, 0); break;
        case CS_ARITHMETIC_BF16: sum = CS_PICK_BYTE_TILES(c->isa, peak_bf16)(c->rounds, 0); break;
        case CS_ARITHMETIC_INT8: sum = (float)CS_PICK_BYTE_TILES(c->isa, peak_int8)(c->rounds, 0); break;
        }
        atomic_fetch_add(&c->sum, sum > 0);
    }
}

double cs_peak_compute(cs_context *context, cs_arithmetic arithmetic, int rounds) {
    int operations = CS_PICK_BYTE_TILES(context->isa, peak_operations)(arithmetic);
    int items = 8 * context->threads;
    if (operations == 0) return 0;
    computing c = {.isa = context->isa, .arithmetic = arithmetic, .rounds = rounds};
    cs_spread(context, compute_items, &c, items, LONG_MAX);
    return (double)operations * rounds * items;
}
