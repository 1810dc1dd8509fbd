// RMS norms over rows: plain, after adding to the residual, and of each head by itself.

#define CS_BODY "norm_body.h"
#include "table.h"

#include "every_isa.h"

void cs_fill_norm(cs_kernels *kernels, cs_isa isa) {
    kernels->norm_row = CS_PICK(isa, norm_row);
    kernels->add_norm_row = CS_PICK(isa, add_norm_row);
}

typedef struct norm_job {
    const cs_kernels *kernels;
    const float *x, *delta;
    float *residual, *out;
    const float *weight;
    float epsilon;
    int columns, heads;
    size_t x_stride, delta_stride, residual_stride, out_stride;
} norm_job;

static void norm_rows(void *opaque, int thread, int first, int last) {
    (void)thread;
    const norm_job *job = opaque;
    for (int r = first; r < last; r++)
        job->kernels->norm_row(
            job->x + r * job->x_stride, job->weight, job->epsilon, job->columns, job->out + r * job->out_stride);
}

static void add_norm_rows(void *opaque, int thread, int first, int last) {
    (void)thread;
    const norm_job *job = opaque;
    for (int r = first; r < last; r++)
        job->kernels->add_norm_row(
            job->delta + r * job->delta_stride, job->residual + r * job->residual_stride, job->weight, job->epsilon,
            job->columns, job->out + r * job->out_stride);
}

static void norm_heads(void *opaque, int thread, int first, int last) {
    (void)thread;
    const norm_job *job = opaque;
    for (int r = first; r < last; r++) {
        for (int h = 0; h < job->heads; h++) {
            float *head = job->out + r * job->out_stride + (size_t)h * job->columns;
            job->kernels->norm_row(head, job->weight, job->epsilon, job->columns, head);
        }
    }
}

void cs_rms_norm(
    cs_context *context, const float *x, size_t x_stride, const float *weight, float epsilon, int rows, int columns,
    float *out, size_t out_stride) {
    norm_job job = {
        .kernels = &context->kernels, .x = x, .x_stride = x_stride, .weight = weight, .epsilon = epsilon,
        .columns = columns, .out = out, .out_stride = out_stride};
    cs_spread(context, norm_rows, &job, rows, (long)rows * columns);
}

void cs_add_norm(
    cs_context *context, const float *delta, size_t delta_stride, float *residual, size_t residual_stride,
    const float *weight, float epsilon, int rows, int columns, float *out, size_t out_stride) {
    norm_job job = {
        .kernels = &context->kernels, .delta = delta, .delta_stride = delta_stride, .residual = residual,
        .residual_stride = residual_stride, .weight = weight, .epsilon = epsilon, .columns = columns, .out = out,
        .out_stride = out_stride};
    cs_spread(context, add_norm_rows, &job, rows, (long)rows * columns);
}

void cs_norm_heads(
    cs_context *context, float *x, size_t x_stride, const float *weight, float epsilon, int rows, int heads,
    int head_dim) {
    norm_job job = {
        .kernels = &context->kernels, .out = x, .out_stride = x_stride, .weight = weight, .epsilon = epsilon,
        .columns = head_dim, .heads = heads};
    cs_spread(context, norm_heads, &job, rows, (long)rows * heads * head_dim);
}
