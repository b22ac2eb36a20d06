#include "convert/tflite/window.h"

int64_t tflite_same_total(int64_t in, int64_t kernel, int64_t stride, int64_t dilation) {
    const int64_t out = (in + stride - 1) / stride, total = (out - 1) * stride + (kernel - 1) * dilation + 1 - in;
    return total > 0 ? total : 0;
}

tmc_status tflite_require_rank4(tflite_lower *lw, const char *what, const tmc_tensor_desc *desc) {
    if (desc->rank == 4) return TMC_OK;
    return tmc_fail_field(lw->e.err, TMC_E_SHAPE, what, "rank %d, expected 4", desc->rank);
}

tmc_status tflite_window_pads(tflite_lower *lw, uint32_t slot, const tmc_tensor_desc *x, tflite_window *window) {
    int8_t padding;
    TMC_TRY(tflite_opt_choice(lw, slot, &padding));
    if (padding != TFLITE_PADDING_SAME && padding != TFLITE_PADDING_VALID)
        return tflite_refuse(lw, "padding", "padding %d is not supported", padding);
    for (int i = 0; i < 2; i++) {
        if (window->kernel[i] < 1 || window->stride[i] < 1 || window->dilation[i] < 1)
            return tmc_fail_field(lw->e.err, TMC_E_RANGE, "stride",
                                  "kernel %d, stride %d, dilation %d, expected 1 or more", window->kernel[i],
                                  window->stride[i], window->dilation[i]);
        window->pad_begin[i] = window->pad_end[i] = 0;
        if (padding == TFLITE_PADDING_VALID) continue;
        const int64_t total =
            tflite_same_total(x->dims[1 + i], window->kernel[i], window->stride[i], window->dilation[i]);
        TMC_TRY(tflite_to_i32(lw, "padding", total / 2, &window->pad_begin[i]));
        TMC_TRY(tflite_to_i32(lw, "padding", total - total / 2, &window->pad_end[i]));
    }
    return TMC_OK;
}
