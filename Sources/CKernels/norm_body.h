// RMS norms of one row, in an order that depends on the row's length only.

static float CS_NAME(mean_square)(const float *x, int columns) {
    f32x16 sum[4] = {0, 0, 0, 0};
    int c = 0;
    for (; c + 64 <= columns; c += 64) {
        CS_UNROLL for (int v = 0; v < 4; v++) {
            f32x16 a = CS_NAME(load)(x + c + v * 16);
            sum[v] = CS_NAME(madd)(a, a, sum[v]);
        }
    }
    for (; c < columns; c += 16) {
        f32x16 a = CS_NAME(load_some)(x + c, columns - c < 16 ? columns - c : 16);
        sum[0] = CS_NAME(madd)(a, a, sum[0]);
    }
    return CS_NAME(sum)((sum[0] + sum[1]) + (sum[2] + sum[3])) / (float)columns;
}

static void CS_NAME(norm_row)(const float *x, const float *weight, float epsilon, int columns, float *out) {
    float scale = 1.0f / sqrtf(CS_NAME(mean_square)(x, columns) + epsilon);
    for (int c = 0; c < columns; c++) out[c] = x[c] * scale * weight[c];
}

static void CS_NAME(add_norm_row)(
    const float *delta, float *residual, const float *weight, float epsilon, int columns, float *out) {
    for (int c = 0; c < columns; c++) residual[c] += delta[c];
    CS_NAME(norm_row)(residual, weight, epsilon, columns, out);
}
