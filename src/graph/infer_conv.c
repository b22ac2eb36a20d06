#include "format/packing.h"
#include "graph/infer.h"
#include "graph/window.h"

/* Each combination of output position and stride is a product with panels of its own; the table of a file stays small.
 */
#define MAX_PHASES 4096

/* Weights: `lead` axes before the kernel's (1: output channels, 0: depthwise). */
static tmc_status check_weights(const tmc_infer_args *args, int32_t lead) {
    const tmc_conv_params *p = args->params;
    const tmc_tensor_desc *w = args->inputs[1];
    if (w->rank != p->spatial + 1 + lead)
        return tmc_fail_field(args->err, TMC_E_SHAPE, "weights", "rank %d, expected %d", w->rank,
                              p->spatial + 1 + lead);
    for (int32_t i = 0; i < p->spatial; i++)
        if (w->dims[lead + i] != p->kernel[3 - p->spatial + i])
            return tmc_fail_field(args->err, TMC_E_SHAPE, "kernel", "%d, but the weights have %d",
                                  p->kernel[3 - p->spatial + i], w->dims[lead + i]);
    return TMC_OK;
}

static tmc_status check_channels(const tmc_infer_args *args, int32_t *out_channels) {
    const tmc_conv_params *p = args->params;
    const tmc_tensor_desc *x = args->inputs[0], *w = args->inputs[1];
    int32_t channels = x->dims[x->rank - 1], per_group = w->dims[w->rank - 1];
    if (args->op == TMC_OP_DEPTHWISE_CONV) {
        if (p->groups != channels || per_group != channels)
            return tmc_fail_field(args->err, TMC_E_SHAPE, "groups",
                                  "%d groups and weights for %d channels, expected the input's %d channels", p->groups,
                                  per_group, channels);
        *out_channels = channels;
        return TMC_OK;
    }
    *out_channels = w->dims[0];
    if (p->groups < 1 || channels % p->groups || *out_channels % p->groups)
        return tmc_fail_field(args->err, TMC_E_SHAPE, "groups", "%d does not divide %d input and %d output channels",
                              p->groups, channels, *out_channels);
    if (per_group != channels / p->groups)
        return tmc_fail_field(args->err, TMC_E_SHAPE, "weights", "%d input channels per group, expected %d", per_group,
                              channels / p->groups);
    return TMC_OK;
}

/* The transforms exist for one kernel: 3x3 over two axes, every pixel, one group. */
static tmc_status check_winograd(const tmc_infer_args *args) {
    const tmc_conv_params *p = args->params;
    if (!tmc_winograd_tile(args->inputs[1]->packing)) return TMC_OK;
    bool fits = p->spatial == 2 && p->groups == 1;
    for (int i = 1; i < 3; i++)
        fits = fits && p->kernel[i] == 3 && p->stride[i] == 1 && p->dilation[i] == 1 && p->pad_begin[i] <= 2 &&
               p->pad_end[i] <= 2;
    if (fits) return TMC_OK;
    return tmc_fail_field(args->err, TMC_E_UNSUPPORTED, "packing",
                          "Winograd weights, expected a conv 3x3 of stride and dilation 1, pads 0 to 2 and one group");
}

static tmc_status transposed_outputs(const tmc_window *w, int32_t output_pad, int32_t *out, tmc_error *err) {
    if (output_pad < 0 || output_pad >= (w->stride > w->dilation ? w->stride : w->dilation))
        return tmc_fail_field(err, TMC_E_RANGE, "output_pad", "%d, expected 0 to below stride %d or dilation %d",
                              output_pad, w->stride, w->dilation);
    int64_t n = (int64_t)(w->in - 1) * w->stride - w->pad_begin - w->pad_end + tmc_window_extent(w) + output_pad;
    if (n < 1) return tmc_fail_field(err, TMC_E_SHAPE, "pad_end", "pads leave no output (%lld elements)", (long long)n);
    if (n > INT32_MAX) return tmc_fail_field(err, TMC_E_LIMIT, "stride", "output is over 2^31 elements");
    *out = (int32_t)n;
    return TMC_OK;
}

static tmc_status outputs_of_axis(const tmc_infer_args *args, int axis, int32_t *out) {
    const tmc_conv_params *p = args->params;
    const bool used = axis >= 3 - p->spatial;
    tmc_window window = tmc_conv_window(p, axis, tmc_spatial_dim(args->inputs[0], p->spatial, axis));
    TMC_TRY(tmc_window_check(&window, used, args->err));
    if (args->op == TMC_OP_CONV_TRANSPOSE) return transposed_outputs(&window, p->output_pad[axis], out, args->err);
    if (p->output_pad[axis])
        return tmc_fail_field(args->err, TMC_E_RANGE, "output_pad", "%d, expected 0", p->output_pad[axis]);
    return tmc_window_outputs(&window, false, out, args->err);
}

tmc_status tmc_infer_conv(const tmc_infer_args *args) {
    const tmc_conv_params *p = args->params;
    const tmc_tensor_desc *x = args->inputs[0];
    TMC_TRY(tmc_spatial_check(x, p->spatial, args->err));
    TMC_TRY(tmc_act_check(&p->act, args->err));
    int32_t out[3];
    for (int axis = 0; axis < 3; axis++) TMC_TRY(outputs_of_axis(args, axis, &out[axis]));
    if (args->op == TMC_OP_CONV_TRANSPOSE) {
        int64_t phases = 1;
        for (int axis = 0; axis < 3; axis++) {
            phases *= p->stride[axis];
            if (phases > MAX_PHASES)
                return tmc_fail_field(args->err, TMC_E_LIMIT, "stride", "over %d stride phases", MAX_PHASES);
        }
    }
    TMC_TRY(check_weights(args, args->op == TMC_OP_DEPTHWISE_CONV ? 0 : 1));
    int32_t channels = 0;
    TMC_TRY(check_channels(args, &channels));
    TMC_TRY(check_winograd(args));
    TMC_TRY(tmc_weights_check(x, args->inputs[1], args->input_count > 2 ? args->inputs[2] : NULL, channels, args->err));

    tmc_tensor_desc *y = &args->outputs[0];
    *y = *x;
    for (int32_t i = 0; i < p->spatial; i++) y->dims[1 + i] = out[3 - p->spatial + i];
    y->dims[x->rank - 1] = channels;
    return TMC_OK;
}
