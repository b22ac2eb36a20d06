#include "lib/naive_conv.h"

#include <math.h>

typedef struct dims {
    int32_t n, h, w, c;
} dims;

static dims dims_of(const tmc_tensor_desc *d) {
    return d->rank == 4 ? (dims){d->dims[0], d->dims[1], d->dims[2], d->dims[3]}
                        : (dims){d->dims[0], 1, d->dims[1], d->dims[2]};
}

static float clamped(float x, const tmc_act_params *act) {
    float t = x < act->lo ? act->lo : x;
    return t > act->hi ? act->hi : t;
}

/* An element of the input, or the zero of the padding. */
static float at(const float *x, dims d, int32_t n, int64_t iy, int64_t ix, int32_t c) {
    if (iy < 0 || iy >= d.h || ix < 0 || ix >= d.w) return 0;
    return x[((n * d.h + iy) * d.w + ix) * d.c + c];
}

void naive_conv(const tmc_conv_params *p, const tmc_tensor_desc *x_desc, const float *x, const float *w,
                const float *bias, const tmc_tensor_desc *y_desc, float *y) {
    const dims in = dims_of(x_desc), out = dims_of(y_desc);
    const int32_t kh = p->kernel[1], kw = p->kernel[2], ic = in.c / p->groups, oc = out.c / p->groups;
    for (int32_t n = 0; n < out.n; n++)
        for (int32_t oy = 0; oy < out.h; oy++)
            for (int32_t ox = 0; ox < out.w; ox++)
                for (int32_t o = 0; o < out.c; o++) {
                    float acc = bias ? bias[o] : 0;
                    for (int32_t ky = 0; ky < kh; ky++)
                        for (int32_t kx = 0; kx < kw; kx++)
                            for (int32_t i = 0; i < ic; i++)
                                acc =
                                    fmaf(at(x, in, n, oy * p->stride[1] - p->pad_begin[1] + ky * p->dilation[1],
                                            ox * p->stride[2] - p->pad_begin[2] + kx * p->dilation[2], o / oc * ic + i),
                                         w[((o * kh + ky) * kw + kx) * ic + i], acc);
                    *y++ = clamped(acc, &p->act);
                }
}

void naive_depthwise_conv(const tmc_conv_params *p, const tmc_tensor_desc *x_desc, const float *x, const float *w,
                          const float *bias, const tmc_tensor_desc *y_desc, float *y) {
    const dims in = dims_of(x_desc), out = dims_of(y_desc);
    for (int32_t n = 0; n < out.n; n++)
        for (int32_t oy = 0; oy < out.h; oy++)
            for (int32_t ox = 0; ox < out.w; ox++)
                for (int32_t c = 0; c < out.c; c++) {
                    float acc = bias ? bias[c] : 0;
                    for (int32_t ky = 0; ky < p->kernel[1]; ky++)
                        for (int32_t kx = 0; kx < p->kernel[2]; kx++)
                            acc = fmaf(at(x, in, n, oy * p->stride[1] - p->pad_begin[1] + ky * p->dilation[1],
                                          ox * p->stride[2] - p->pad_begin[2] + kx * p->dilation[2], c),
                                       w[(ky * p->kernel[2] + kx) * in.c + c], acc);
                    *y++ = clamped(acc, &p->act);
                }
}

void naive_conv_transpose(const tmc_conv_params *p, const tmc_tensor_desc *x_desc, const float *x, const float *w,
                          const float *bias, const tmc_tensor_desc *y_desc, float *y) {
    const dims in = dims_of(x_desc), out = dims_of(y_desc);
    const int32_t kh = p->kernel[1], kw = p->kernel[2], ic = in.c / p->groups, oc = out.c / p->groups;
    for (int32_t n = 0; n < out.n; n++)
        for (int32_t oy = 0; oy < out.h; oy++)
            for (int32_t ox = 0; ox < out.w; ox++)
                for (int32_t o = 0; o < out.c; o++) {
                    float acc = bias ? bias[o] : 0;
                    for (int32_t ky = 0; ky < kh; ky++) {
                        const int32_t y_steps = oy + p->pad_begin[1] - ky * p->dilation[1];
                        if (y_steps % p->stride[1]) continue;
                        for (int32_t kx = 0; kx < kw; kx++) {
                            const int32_t x_steps = ox + p->pad_begin[2] - kx * p->dilation[2];
                            if (x_steps % p->stride[2]) continue;
                            for (int32_t i = 0; i < ic; i++)
                                acc =
                                    fmaf(at(x, in, n, y_steps / p->stride[1], x_steps / p->stride[2], o / oc * ic + i),
                                         w[((o * kh + ky) * kw + kx) * ic + i], acc);
                        }
                    }
                    *y++ = clamped(acc, &p->act);
                }
}
