#include "graph/window.h"

tmc_window tmc_conv_window(const tmc_conv_params *p, int axis, int32_t in) {
    return (tmc_window){in, p->kernel[axis], p->stride[axis], p->dilation[axis], p->pad_begin[axis], p->pad_end[axis]};
}

tmc_window tmc_pool_window(const tmc_pool_params *p, int axis, int32_t in) {
    return (tmc_window){in, p->kernel[axis], p->stride[axis], p->dilation[axis], p->pad_begin[axis], p->pad_end[axis]};
}

tmc_status tmc_spatial_check(const tmc_tensor_desc *x, int32_t spatial, tmc_error *err) {
    if (spatial < 1 || spatial > 3)
        return tmc_fail_field(err, TMC_E_RANGE, "spatial", "%d spatial axes, expected 1 to 3", spatial);
    if (x->rank != spatial + 2)
        return tmc_fail_field(err, TMC_E_SHAPE, "spatial", "input of rank %d, expected %d for %d spatial axes", x->rank,
                              spatial + 2, spatial);
    return tmc_require_f32_or_i8(x, "input", err);
}

tmc_status tmc_window_check(const tmc_window *w, bool used, tmc_error *err) {
    if (w->kernel < 1) return tmc_fail_field(err, TMC_E_SHAPE, "kernel", "%d, expected at least 1", w->kernel);
    if (w->stride < 1) return tmc_fail_field(err, TMC_E_RANGE, "stride", "%d, expected at least 1", w->stride);
    if (w->dilation < 1) return tmc_fail_field(err, TMC_E_RANGE, "dilation", "%d, expected at least 1", w->dilation);
    if (w->pad_begin < 0) return tmc_fail_field(err, TMC_E_RANGE, "pad_begin", "%d is negative", w->pad_begin);
    if (w->pad_end < 0) return tmc_fail_field(err, TMC_E_RANGE, "pad_end", "%d is negative", w->pad_end);
    if (!used && (w->kernel != 1 || w->stride != 1 || w->dilation != 1 || w->pad_begin || w->pad_end))
        return tmc_fail_field(err, TMC_E_RANGE, "kernel", "an axis that the input lacks has a window, expected none");
    if (tmc_window_extent(w) > INT32_MAX)
        return tmc_fail_field(err, TMC_E_RANGE, "dilation", "kernel %d with dilation %d spans over 2^31 elements",
                              w->kernel, w->dilation);
    if ((int64_t)w->in + w->pad_begin + w->pad_end > INT32_MAX)
        return tmc_fail_field(err, TMC_E_LIMIT, "pad_end", "input %d with pads %d and %d is over 2^31 elements", w->in,
                              w->pad_begin, w->pad_end);
    return TMC_OK;
}

tmc_status tmc_window_outputs(const tmc_window *w, bool round_up, int32_t *out, tmc_error *err) {
    int64_t padded = (int64_t)w->in + w->pad_begin + w->pad_end, extent = tmc_window_extent(w);
    if (extent > padded)
        return tmc_fail_field(err, TMC_E_SHAPE, "kernel", "window of %lld is larger than the padded input of %lld",
                              (long long)extent, (long long)padded);
    int64_t n = (padded - extent + (round_up ? w->stride - 1 : 0)) / w->stride + 1;
    /* ONNX, Pool operators: a window that would start in the padding at the end is dropped. */
    if (round_up && (n - 1) * w->stride >= (int64_t)w->in + w->pad_begin) n--;
    *out = (int32_t)n;
    return TMC_OK;
}

tmc_status tmc_act_check(const tmc_act_params *act, tmc_error *err) {
    if (!(act->lo <= act->hi))
        return tmc_fail_field(err, TMC_E_RANGE, "act", "activation bounds must be numbers with lo <= hi");
    return TMC_OK;
}

tmc_status tmc_require_f32_or_i8(const tmc_tensor_desc *desc, const char *name, tmc_error *err) {
    if (desc->dtype != TMC_F32 && desc->dtype != TMC_I8)
        return tmc_fail_field(err, TMC_E_DTYPE, name, "type %s, expected f32 or i8",
                              tmc_dtype_name((tmc_dtype)desc->dtype));
    return TMC_OK;
}

/* The weights and the bias that go with activations of a type. */
tmc_status tmc_weights_check(const tmc_tensor_desc *x, const tmc_tensor_desc *w, const tmc_tensor_desc *bias,
                             int32_t channels, tmc_error *err) {
    const bool quantized = x->dtype == TMC_I8, packed_i8 = w->packing >= TMC_PACK_I8_PANELS;
    if (w->dtype != x->dtype)
        return tmc_fail_field(err, TMC_E_DTYPE, "weights", "type %s, expected %s as the input's",
                              tmc_dtype_name((tmc_dtype)w->dtype), tmc_dtype_name((tmc_dtype)x->dtype));
    if (w->packing != TMC_PACK_NONE && packed_i8 != quantized)
        return tmc_fail_field(err, TMC_E_UNSUPPORTED, "packing", "layout %d is not for weights of %s", w->packing,
                              tmc_dtype_name((tmc_dtype)w->dtype));
    if (quantized && w->quantization.channels != (uint32_t)channels)
        return tmc_fail_field(err, TMC_E_QUANT, "weights", "%u scales, expected one for each of %d output channels",
                              w->quantization.channels, channels);
    if (!bias) return TMC_OK;
    if (w->packing != TMC_PACK_NONE)
        return tmc_fail_field(err, TMC_E_GRAPH, "bias", "packed weights hold the bias, expected no third input");
    if (bias->dtype != (quantized ? TMC_I32 : TMC_F32))
        return tmc_fail_field(err, quantized ? TMC_E_QUANT : TMC_E_DTYPE, "bias", "type %s, expected %s",
                              tmc_dtype_name((tmc_dtype)bias->dtype), quantized ? "i32" : "f32");
    if (bias->rank != 1 || bias->dims[0] != channels)
        return tmc_fail_field(err, TMC_E_SHAPE, "bias", "expected one value for each of %d channels", channels);
    return TMC_OK;
}

tmc_status tmc_require_f32(const tmc_tensor_desc *desc, const char *name, tmc_error *err) {
    if (desc->dtype != TMC_F32)
        return tmc_fail_field(err, TMC_E_DTYPE, name, "type %s, expected f32", tmc_dtype_name((tmc_dtype)desc->dtype));
    return TMC_OK;
}
