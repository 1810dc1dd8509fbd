// Sums, gathers, rotations and the cache's writes: operations that touch each number once.

#define CS_BODY "elementwise_body.h"
#include "table.h"

#include "every_isa.h"

void cs_fill_elementwise(cs_kernels *kernels, cs_isa isa) {
    kernels->add_row = CS_PICK(isa, add_row);
    kernels->scale_row = CS_PICK(isa, scale_row);
    kernels->rotate_head = CS_PICK(isa, rotate_head);
    kernels->narrow = CS_PICK(isa, narrow);
}

typedef struct row_job {
    const cs_kernels *kernels;
    const float *x, *gate, *weights;
    const int32_t *index;
    float *out;
    size_t x_stride, gate_stride, out_stride;
    int columns, choices;
} row_job;

static void add_rows(void *opaque, int thread, int first, int last) {
    (void)thread;
    const row_job *job = opaque;
    for (int r = first; r < last; r++)
        job->kernels->add_row(job->x + r * job->x_stride, 1.0f, job->out + r * job->out_stride, job->columns);
}

static void add_gated_rows(void *opaque, int thread, int first, int last) {
    (void)thread;
    const row_job *job = opaque;
    for (int r = first; r < last; r++) {
        float factor = job->kernels->sigmoid(job->gate[r * job->gate_stride]);
        job->kernels->add_row(job->x + r * job->x_stride, factor, job->out + r * job->out_stride, job->columns);
    }
}

static void gather_rows(void *opaque, int thread, int first, int last) {
    (void)thread;
    const row_job *job = opaque;
    for (int r = first; r < last; r++)
        memcpy(
            job->out + r * job->out_stride, job->x + (size_t)job->index[r] * job->x_stride,
            (size_t)job->columns * sizeof(float));
}

static void combine_rows(void *opaque, int thread, int first, int last) {
    (void)thread;
    const row_job *job = opaque;
    for (int r = first; r < last; r++) {
        float *out = job->out + r * job->out_stride;
        for (int k = 0; k < job->choices; k++) {
            float weight = job->weights[(size_t)r * job->choices + k];
            const float *x = job->x + (size_t)job->index[(size_t)r * job->choices + k] * job->x_stride;
            if (k == 0) {
                job->kernels->scale_row(x, weight, out, job->columns);
            } else {
                job->kernels->add_row(x, weight, out, job->columns);
            }
        }
    }
}

void cs_add(
    cs_context *context, const float *delta, size_t delta_stride, float *x, size_t x_stride, int rows, int columns) {
    row_job job = {
        .kernels = &context->kernels, .x = delta, .x_stride = delta_stride, .out = x, .out_stride = x_stride,
        .columns = columns};
    cs_spread(context, add_rows, &job, rows, (long)rows * columns);
}

void cs_add_gated(
    cs_context *context, const float *delta, size_t delta_stride, const float *gate, size_t gate_stride, float *x,
    size_t x_stride, int rows, int columns) {
    row_job job = {
        .kernels = &context->kernels, .x = delta, .x_stride = delta_stride, .gate = gate, .gate_stride = gate_stride,
        .out = x, .out_stride = x_stride, .columns = columns};
    cs_spread(context, add_gated_rows, &job, rows, (long)rows * columns);
}

void cs_gather(
    cs_context *context, const float *x, size_t x_stride, const int32_t *index, int count, int columns, float *out,
    size_t out_stride) {
    row_job job = {
        .kernels = &context->kernels, .x = x, .x_stride = x_stride, .index = index, .out = out,
        .out_stride = out_stride, .columns = columns};
    cs_spread(context, gather_rows, &job, count, (long)count * columns);
}

void cs_combine(
    cs_context *context, const float *x, size_t x_stride, const float *weights, const int32_t *places, int rows,
    int choices, int columns, float *out, size_t out_stride) {
    row_job job = {
        .kernels = &context->kernels, .x = x, .x_stride = x_stride, .weights = weights, .index = places, .out = out,
        .out_stride = out_stride, .columns = columns, .choices = choices};
    cs_spread(context, combine_rows, &job, rows, (long)rows * columns * choices);
}
