// The register tile of every product: up to 6 rows by 64 columns, the inner dimension in order.
//
// Included by a family's body, once per level. c[m, 0 ..< 64] (+)= sum over k of x[m, k] * w[k, 0 ..< 64]. An element's sum
// is one chain of fused multiply-adds in the order of k, whatever the number of rows, so it does not depend on them;
// carrying it through memory between runs of k changes nothing.

/// Vectors of 16 columns that `rows` rows keep in registers at once.
#if defined(CS_HAS_AVX512)
#define CS_STRIP(rows) 4
#else
#define CS_STRIP(rows) ((rows) == 1 ? 4 : (rows) == 2 ? 2 : 1)
#endif

CS_INLINE void CS_NAME(tile_f32)(
    const int rows, int inner, const float *x, size_t x_stride, const float *w, float *c, size_t c_stride, bool add) {
    enum { most = 4 };
    const int strip = CS_STRIP(rows);
    for (int s = 0; s < CS_PANEL / 16; s += strip) {
        f32x16 sum[CS_ROW_TILE][most];
        CS_UNROLL for (int m = 0; m < rows; m++)
            CS_UNROLL for (int v = 0; v < strip; v++)
                sum[m][v] = add ? CS_NAME(load)(c + m * c_stride + (s + v) * 16) : (f32x16)0.0f;
        for (int k = 0; k < inner; k++) {
            f32x16 b[most];
            CS_UNROLL for (int v = 0; v < strip; v++) b[v] = CS_NAME(load)(w + (size_t)k * CS_PANEL + (s + v) * 16);
            CS_UNROLL for (int m = 0; m < rows; m++) {
                f32x16 a = CS_NAME(splat)(x[m * x_stride + k]);
                CS_UNROLL for (int v = 0; v < strip; v++) sum[m][v] = CS_NAME(madd)(a, b[v], sum[m][v]);
            }
        }
        CS_UNROLL for (int m = 0; m < rows; m++)
            CS_UNROLL for (int v = 0; v < strip; v++) CS_NAME(store)(c + m * c_stride + (s + v) * 16, sum[m][v]);
    }
}

/// Any number of rows.
static __attribute__((unused)) void CS_NAME(product_f32)(
    int rows, int inner, const float *x, size_t x_stride, const float *w, float *c, size_t c_stride, bool add) {
    for (int m = 0; m < rows; m += CS_ROW_TILE) {
        const float *xm = x + m * x_stride;
        float *cm = c + m * c_stride;
        switch (rows - m) {
        case 1: CS_NAME(tile_f32)(1, inner, xm, x_stride, w, cm, c_stride, add); break;
        case 2: CS_NAME(tile_f32)(2, inner, xm, x_stride, w, cm, c_stride, add); break;
        case 3: CS_NAME(tile_f32)(3, inner, xm, x_stride, w, cm, c_stride, add); break;
        case 4: CS_NAME(tile_f32)(4, inner, xm, x_stride, w, cm, c_stride, add); break;
        case 5: CS_NAME(tile_f32)(5, inner, xm, x_stride, w, cm, c_stride, add); break;
        default: CS_NAME(tile_f32)(6, inner, xm, x_stride, w, cm, c_stride, add); break;
        }
    }
}
