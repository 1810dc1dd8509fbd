// Gated activations, softcaps and softmax over rows, and the sampler's reductions.

#define CS_BODY "activation_body.h"
#include "table.h"

#include "every_isa.h"

void cs_fill_activation(cs_kernels *kernels, cs_isa isa) {
    kernels->activate_row = CS_PICK(isa, activate_row);
    kernels->softcap_row = CS_PICK(isa, softcap_row);
    kernels->softmax_row = CS_PICK(isa, softmax_row);
    kernels->log_sum_exp = CS_PICK(isa, log_sum_exp);
    kernels->argmax = CS_PICK(isa, argmax);
    kernels->map = CS_PICK(isa, map);
    kernels->sigmoid = CS_PICK(isa, sigmoid);
}

typedef struct activation_job {
    const cs_kernels *kernels;
    cs_activation activation;
    const float *gate_up;
    float *out;
    size_t gate_up_stride, out_stride;
    float cap;
    int columns;
} activation_job;

static void activate_rows(void *opaque, int thread, int first, int last) {
    (void)thread;
    const activation_job *job = opaque;
    for (int r = first; r < last; r++)
        job->kernels->activate_row(
            job->activation, job->gate_up + r * job->gate_up_stride, job->columns, job->out + r * job->out_stride);
}

static void softcap_rows(void *opaque, int thread, int first, int last) {
    (void)thread;
    const activation_job *job = opaque;
    for (int r = first; r < last; r++) job->kernels->softcap_row(job->out + r * job->out_stride, job->cap, job->columns);
}

static void softmax_rows(void *opaque, int thread, int first, int last) {
    (void)thread;
    const activation_job *job = opaque;
    for (int r = first; r < last; r++) job->kernels->softmax_row(job->out + r * job->out_stride, job->columns);
}

void cs_activate(
    cs_context *context, cs_activation activation, const float *gate_up, size_t gate_up_stride, int rows, int columns,
    float *out, size_t out_stride) {
    activation_job job = {
        .kernels = &context->kernels, .activation = activation, .gate_up = gate_up, .gate_up_stride = gate_up_stride,
        .columns = columns, .out = out, .out_stride = out_stride};
    cs_spread(context, activate_rows, &job, rows, (long)rows * columns * 4);
}

void cs_softcap(cs_context *context, float *x, size_t x_stride, float cap, int rows, int columns) {
    activation_job job = {
        .kernels = &context->kernels, .out = x, .out_stride = x_stride, .cap = cap, .columns = columns};
    cs_spread(context, softcap_rows, &job, rows, (long)rows * columns * 4);
}

void cs_softmax(cs_context *context, float *x, size_t x_stride, int rows, int columns) {
    activation_job job = {.kernels = &context->kernels, .out = x, .out_stride = x_stride, .columns = columns};
    cs_spread(context, softmax_rows, &job, rows, (long)rows * columns * 4);
}

void cs_log_sum_exp(const cs_context *context, const float *x, int count, float *largest, float *log_sum_exp) {
    context->kernels.log_sum_exp(x, count, largest, log_sum_exp);
}

int cs_argmax(const cs_context *context, const float *x, int count) { return context->kernels.argmax(x, count); }

void cs_map(const cs_context *context, cs_function function, const float *x, int count, float *y) {
    context->kernels.map(function, x, count, y);
}
