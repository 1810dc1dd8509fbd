// Quantisation while weights are loaded: the one rule, on any level, and rows of a plain source straight into panels.

#define CS_BODY "quantize_body.h"
#include "table.h"
#include "vector_types.h"

static inline float cs_round_scale(cs_type type, float value) {
    if (type == CS_BF16) return cs_bf16_to_f32(cs_f32_to_bf16(value));
    if (type == CS_F16) return cs_f16_to_f32(cs_f32_to_f16(value));
    return value;
}

#include "every_isa.h"

void cs_quantize_row(
    cs_format format, const float *row, size_t columns, uint8_t *codes, float *scales, float *minimums) {
    cs_isa isa = cs_isa_best();
    CS_PICK(isa, quantize_row)(format, row, columns, codes, scales, minimums);
}

typedef struct quantize_job {
    cs_format format;
    void *packed;
    size_t first_row, columns, stride, count;
    const char *source;
    cs_type source_type;
    cs_context *context;
} quantize_job;

/// One row at a time through the thread's scratch: the row in f32, its codes, its scales.
static void quantize_items(void *opaque, int thread, int first, int last) {
    const quantize_job *job = opaque;
    const cs_isa isa = job->context->isa;
    const size_t groups = cs_format_groups(job->format, job->columns);
    float *row = job->context->scratch[thread].floats;
    float *scales = row + job->columns, *minimums = scales + groups;
    uint8_t *codes = (uint8_t *)(minimums + groups);
    job->context->scratch[thread].product = 0;
    for (size_t r = (size_t)first * CS_PANEL; r < (size_t)last * CS_PANEL && r < job->count; r++) {
        const char *from = job->source + r * job->stride * cs_type_bytes(job->source_type);
        CS_PICK(isa, widen_row)(job->source_type, from, job->columns, row);
        CS_PICK(isa, quantize_row)(job->format, row, job->columns, codes, scales, minimums);
        cs_pack_codes(job->format, job->packed, job->first_row + r, job->columns, codes, scales, minimums, 1);
    }
}

void cs_quantize(
    cs_context *context, cs_format format, void *packed, size_t first_row, size_t columns, const void *source,
    cs_type source_type, size_t stride, size_t count) {
    quantize_job job = {format, packed, first_row, columns, stride, count, source, source_type, context};
    cs_spread(context, quantize_items, &job, (int)((count + CS_PANEL - 1) / CS_PANEL), (long)(count * columns));
}
