// Rotary positions over rows of heads; the tables hold cosines and sines by position.

#include "table.h"
#include "vector_types.h"

typedef struct rotate_job {
    const cs_kernels *kernels;
    float *x;
    size_t x_stride;
    const int32_t *positions;
    const float *cosines, *sines;
    int half, heads, head_dim;
} rotate_job;

static void rotate_rows(void *opaque, int thread, int first, int last) {
    (void)thread;
    const rotate_job *job = opaque;
    for (int r = first; r < last; r++) {
        size_t row = (size_t)job->positions[r] * (size_t)job->half;
        for (int h = 0; h < job->heads; h++)
            job->kernels->rotate_head(
                job->x + r * job->x_stride + (size_t)h * job->head_dim, job->cosines + row, job->sines + row, job->half);
    }
}

void cs_rotate(
    cs_context *context, float *x, size_t x_stride, const int32_t *positions, const float *cosines, const float *sines,
    int rotary_dim, int rows, int heads, int head_dim) {
    rotate_job job = {&context->kernels, x, x_stride, positions, cosines, sines, rotary_dim / 2, heads, head_dim};
    cs_spread(context, rotate_rows, &job, rows, (long)rows * heads * head_dim);
}
