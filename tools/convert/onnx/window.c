#include "convert/onnx/window.h"

#include <string.h>

/* Fills the used slots of a triple from an attribute with one value per spatial axis. */
static tmc_status read_triple(onnx_lower *lw, const char *name, const onnx_window *window, int32_t *triple,
                              bool *present) {
    onnx_ints ints;
    TMC_TRY(onnx_attr_ints(lw, name, &ints));
    *present = ints.present;
    if (!ints.present) return TMC_OK;
    if (ints.count != (uint32_t)window->spatial)
        return tmc_fail_field(lw->err, TMC_E_SHAPE, name, "%u values for %d spatial axes", ints.count, window->spatial);
    for (int32_t i = 0; i < window->spatial; i++) {
        if (ints.values[i] < 1)
            return tmc_fail_field(lw->err, TMC_E_RANGE, name, "%lld, expected at least 1", (long long)ints.values[i]);
        TMC_TRY(onnx_to_i32(lw, name, ints.values[i], &triple[onnx_window_first(window) + i]));
    }
    return TMC_OK;
}

static tmc_status check_kernel(onnx_lower *lw, const onnx_window *window, const int32_t *weight_kernel, bool given,
                               int32_t *kernel) {
    if (!weight_kernel && !given) return tmc_fail_field(lw->err, TMC_E_FORMAT, "kernel_shape", "attribute is missing");
    if (!weight_kernel) return TMC_OK;
    for (int32_t i = 0; i < window->spatial; i++) {
        int32_t *k = &kernel[onnx_window_first(window) + i];
        if (given && *k != weight_kernel[i])
            return tmc_fail_field(lw->err, TMC_E_SHAPE, "kernel_shape", "%d, but the weights have %d", *k,
                                  weight_kernel[i]);
        *k = weight_kernel[i];
    }
    return TMC_OK;
}

tmc_status onnx_window_read(onnx_lower *lw, const tmc_tensor_desc *x, const int32_t *weight_kernel,
                            onnx_window *window) {
    bool given, ignored;
    memset(window, 0, sizeof *window);
    window->spatial = x->rank - 2;
    if (window->spatial < 1 || window->spatial > 3)
        return onnx_refuse(lw, "input", "rank %d: only 1, 2 or 3 spatial axes are supported", x->rank);
    for (int32_t i = 0; i < 3; i++) window->kernel[i] = window->stride[i] = window->dilation[i] = 1;
    TMC_TRY(read_triple(lw, "kernel_shape", window, window->kernel, &given));
    TMC_TRY(check_kernel(lw, window, weight_kernel, given, window->kernel));
    TMC_TRY(read_triple(lw, "strides", window, window->stride, &ignored));
    TMC_TRY(read_triple(lw, "dilations", window, window->dilation, &ignored));
    if (window->spatial == 3) return onnx_refuse(lw, "input", "windows over 3 spatial axes are not supported");
    return TMC_OK;
}

static bool all_zero(const onnx_ints *ints) {
    for (uint32_t i = 0; i < ints->count; i++)
        if (ints->values[i]) return false;
    return true;
}

tmc_status onnx_window_read_pads(onnx_lower *lw, onnx_window *window, int32_t *auto_pad) {
    static const char *const modes[] = {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", NULL};
    onnx_ints pads;
    int32_t first = onnx_window_first(window);
    TMC_TRY(onnx_attr_choice(lw, "auto_pad", modes, ONNX_AUTO_PAD_NOTSET, auto_pad));
    TMC_TRY(onnx_attr_ints(lw, "pads", &pads));
    window->automatic = *auto_pad != ONNX_AUTO_PAD_NOTSET;
    if (!pads.present) return TMC_OK;
    /* VALID means no padding, so zeros beside it say the same thing twice, not two things. */
    if (window->automatic && !(*auto_pad == ONNX_AUTO_PAD_VALID && all_zero(&pads)))
        return tmc_fail_field(lw->err, TMC_E_FORMAT, "auto_pad", "auto_pad and pads are both given");
    if (pads.count != 2 * (uint32_t)window->spatial)
        return tmc_fail_field(lw->err, TMC_E_SHAPE, "pads", "%u values for %d spatial axes", pads.count,
                              window->spatial);
    for (int32_t i = 0; i < window->spatial; i++) {
        TMC_TRY(onnx_to_i32(lw, "pads", pads.values[i], &window->pad_begin[first + i]));
        TMC_TRY(onnx_to_i32(lw, "pads", pads.values[window->spatial + i], &window->pad_end[first + i]));
    }
    return TMC_OK;
}

tmc_status onnx_window_same_pads(onnx_lower *lw, onnx_window *window, const tmc_tensor_desc *x, int32_t auto_pad) {
    if (auto_pad != ONNX_AUTO_PAD_SAME_UPPER && auto_pad != ONNX_AUTO_PAD_SAME_LOWER) return TMC_OK;
    int32_t first = onnx_window_first(window);
    for (int32_t i = 0; i < window->spatial; i++) {
        int64_t in = x->dims[2 + i], stride = window->stride[first + i], out = (in + stride - 1) / stride;
        int64_t extent = ((int64_t)window->kernel[first + i] - 1) * window->dilation[first + i] + 1;
        int64_t total = (out - 1) * stride + extent - in, small;
        if (total < 0) total = 0;
        small = total / 2;
        int64_t begin = auto_pad == ONNX_AUTO_PAD_SAME_UPPER ? small : total - small;
        TMC_TRY(onnx_to_i32(lw, "auto_pad", begin, &window->pad_begin[first + i]));
        TMC_TRY(onnx_to_i32(lw, "auto_pad", total - begin, &window->pad_end[first + i]));
    }
    return TMC_OK;
}
