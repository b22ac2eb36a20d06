/* Conv and ConvTranspose: [N, C, ...] and OIHW become channels-last and OHWI. */
#include <string.h>

#include "convert/onnx/window.h"

static tmc_conv_params conv_params(const onnx_window *window, int32_t groups) {
    tmc_conv_params params = {.spatial = window->spatial, .groups = groups, .act = onnx_no_activation()};
    memcpy(params.kernel, window->kernel, sizeof params.kernel);
    memcpy(params.stride, window->stride, sizeof params.stride);
    memcpy(params.dilation, window->dilation, sizeof params.dilation);
    memcpy(params.pad_begin, window->pad_begin, sizeof params.pad_begin);
    memcpy(params.pad_end, window->pad_end, sizeof params.pad_end);
    return params;
}

typedef struct conv_inputs {
    ir_id x, w, bias;
    tmc_tensor_desc x_desc, w_desc;
    int32_t channels, groups;
} conv_inputs;

static tmc_status read_inputs(onnx_lower *lw, conv_inputs *in) {
    int64_t groups;
    TMC_TRY(onnx_expect_inputs(lw, 2, 3));
    TMC_TRY(onnx_input(lw, 0, &in->x));
    TMC_TRY(onnx_input(lw, 1, &in->w));
    TMC_TRY(onnx_optional_input(lw, 2, &in->bias));
    TMC_TRY(onnx_attr_int(lw, "group", 1, &groups));
    in->x_desc = *onnx_desc(lw, in->x);
    in->w_desc = *onnx_desc(lw, in->w);
    if (in->x_desc.rank < 2 || in->w_desc.rank != in->x_desc.rank)
        return tmc_fail_field(lw->err, TMC_E_SHAPE, "W", "weights of rank %d for an input of rank %d", in->w_desc.rank,
                              in->x_desc.rank);
    in->channels = in->x_desc.dims[1];
    if (groups < 1 || groups > in->channels || in->channels % groups)
        return tmc_fail_field(lw->err, TMC_E_SHAPE, "group", "%lld groups of %d channels", (long long)groups,
                              in->channels);
    in->groups = (int32_t)groups;
    return TMC_OK;
}

/* To channels-last, the node, and back. */
static tmc_status emit_conv(onnx_lower *lw, uint16_t op, const tmc_conv_params *params, ir_id x, ir_id w, ir_id bias) {
    ir_id last, y, out;
    TMC_TRY(onnx_to_channels_last(lw, x, &last));
    ir_id inputs[3] = {last, w, bias};
    TMC_TRY(onnx_emit(lw, op, params, inputs, bias == IR_NONE ? 2 : 3, &y));
    TMC_TRY(onnx_to_channels_first(lw, y, &out));
    onnx_set_output(lw, 0, out);
    return TMC_OK;
}

/* [C, 1, k..] to [k.., C]. */
static tmc_status depthwise_weights(onnx_lower *lw, const conv_inputs *in, ir_id *out) {
    int32_t rank = in->w_desc.rank, perm[TMC_MAX_RANK], dims[TMC_MAX_RANK];
    for (int32_t i = 0; i < rank - 2; i++) {
        perm[i] = i + 2;
        dims[i] = in->w_desc.dims[i + 2];
    }
    perm[rank - 2] = 1;
    perm[rank - 1] = 0;
    dims[rank - 2] = in->channels;
    ir_id moved;
    TMC_TRY(onnx_transpose(lw, in->w, perm, &moved));
    return onnx_reshape(lw, moved, rank - 1, dims, out);
}

tmc_status onnx_lower_conv(onnx_lower *lw) {
    conv_inputs in;
    onnx_window window;
    int32_t auto_pad;
    TMC_TRY(read_inputs(lw, &in));
    TMC_TRY(onnx_window_read(lw, &in.x_desc, in.w_desc.dims + 2, &window));
    TMC_TRY(onnx_window_read_pads(lw, &window, &auto_pad));
    TMC_TRY(onnx_window_same_pads(lw, &window, &in.x_desc, auto_pad));
    if (in.w_desc.dims[1] != in.channels / in.groups)
        return tmc_fail_field(lw->err, TMC_E_SHAPE, "W", "weights for %d channels per group, the input has %d",
                              in.w_desc.dims[1], in.channels / in.groups);

    tmc_conv_params params = conv_params(&window, in.groups);
    ir_id w;
    if (in.groups > 1 && in.groups == in.channels && in.w_desc.dims[0] == in.channels) {
        TMC_TRY(depthwise_weights(lw, &in, &w));
        return emit_conv(lw, TMC_OP_DEPTHWISE_CONV, &params, in.x, w, in.bias);
    }
    TMC_TRY(onnx_to_channels_last(lw, in.w, &w));
    return emit_conv(lw, TMC_OP_CONV, &params, in.x, w, in.bias);
}

/* ------------------------------------------------------------------------------------------------ transposed */

/* [C, O/g, k..] to [O, k.., C/g]: the groups lie in the first axis of both. */
static tmc_status transposed_weights(onnx_lower *lw, const conv_inputs *in, ir_id *out) {
    int32_t rank = in->w_desc.rank, spatial = rank - 2;
    int32_t per_group = in->channels / in->groups, outputs = in->w_desc.dims[1];
    int32_t split[TMC_MAX_RANK], perm[TMC_MAX_RANK], joined[TMC_MAX_RANK];
    split[0] = in->groups;
    split[1] = per_group;
    split[2] = outputs;
    perm[0] = 0;
    perm[1] = 2;
    perm[rank] = 1;
    joined[0] = in->groups * outputs;
    joined[rank - 1] = per_group;
    for (int32_t i = 0; i < spatial; i++) {
        split[3 + i] = joined[1 + i] = in->w_desc.dims[2 + i];
        perm[2 + i] = 3 + i;
    }
    ir_id grouped, moved;
    TMC_TRY(onnx_reshape(lw, in->w, rank + 1, split, &grouped));
    TMC_TRY(onnx_transpose(lw, grouped, perm, &moved));
    return onnx_reshape(lw, moved, rank, joined, out);
}

static tmc_status read_spatial(onnx_lower *lw, const char *name, const onnx_window *window, onnx_ints *ints) {
    TMC_TRY(onnx_attr_ints(lw, name, ints));
    if (!ints->present) return TMC_OK;
    /* Some writers give output_shape with N and C in front. */
    uint32_t spatial = (uint32_t)window->spatial;
    if (strcmp(name, "output_shape") == 0 && ints->count == spatial + 2) {
        memmove(ints->values, ints->values + 2, spatial * sizeof *ints->values);
        ints->count = spatial;
    }
    if (ints->count != spatial)
        return tmc_fail_field(lw->err, TMC_E_SHAPE, name, "%u values for %u spatial axes", ints->count, spatial);
    return TMC_OK;
}

/* Where output_shape or SAME_* sets the output's size, the padding follows from it (ONNX: ConvTranspose). A size beyond
 * what the input reaches is output padding: the last rows hold the bias. */
static tmc_status pad_to_size(onnx_lower *lw, onnx_window *window, int32_t slot, int64_t in, int64_t size, bool upper,
                              int32_t *output_pad) {
    int64_t natural = (in - 1) * window->stride[slot] + *output_pad +
                      ((int64_t)window->kernel[slot] - 1) * window->dilation[slot] + 1;
    int64_t total = natural - size;
    if (total < 0) {
        TMC_TRY(onnx_to_i32(lw, "output_shape", *output_pad - total, output_pad));
        total = 0;
    }
    int64_t begin = upper ? total / 2 : total - total / 2;
    TMC_TRY(onnx_to_i32(lw, "output_shape", begin, &window->pad_begin[slot]));
    return onnx_to_i32(lw, "output_shape", total - begin, &window->pad_end[slot]);
}

tmc_status onnx_lower_conv_transpose(onnx_lower *lw) {
    conv_inputs in;
    onnx_window window;
    onnx_ints output_pad, output_shape;
    int32_t auto_pad, pads[3] = {0};
    TMC_TRY(read_inputs(lw, &in));
    TMC_TRY(onnx_window_read(lw, &in.x_desc, in.w_desc.dims + 2, &window));
    TMC_TRY(onnx_window_read_pads(lw, &window, &auto_pad));
    TMC_TRY(read_spatial(lw, "output_padding", &window, &output_pad));
    TMC_TRY(read_spatial(lw, "output_shape", &window, &output_shape));
    if (in.w_desc.dims[0] != in.channels)
        return tmc_fail_field(lw->err, TMC_E_SHAPE, "W", "weights for %d channels, the input has %d", in.w_desc.dims[0],
                              in.channels);
    /* Before the weights are regrouped: rank 5 becomes 6, more does not fit. */
    bool same = auto_pad == ONNX_AUTO_PAD_SAME_UPPER || auto_pad == ONNX_AUTO_PAD_SAME_LOWER;
    for (int32_t i = 0; i < window.spatial; i++) {
        int32_t slot = onnx_window_first(&window) + i;
        if (output_pad.present) TMC_TRY(onnx_to_i32(lw, "output_padding", output_pad.values[i], &pads[slot]));
        if (!same && !output_shape.present) continue;
        int64_t size =
            output_shape.present ? output_shape.values[i] : (int64_t)in.x_desc.dims[2 + i] * window.stride[slot];
        if (size < 1 || size > INT32_MAX)
            return tmc_fail_field(lw->err, TMC_E_RANGE, "output_shape", "size %lld", (long long)size);
        TMC_TRY(pad_to_size(lw, &window, slot, in.x_desc.dims[2 + i], size, auto_pad == ONNX_AUTO_PAD_SAME_UPPER,
                            &pads[slot]));
    }
    tmc_conv_params params = conv_params(&window, in.groups);
    memcpy(params.output_pad, pads, sizeof pads);
    ir_id w;
    TMC_TRY(transposed_weights(lw, &in, &w));
    return emit_conv(lw, TMC_OP_CONV_TRANSPOSE, &params, in.x, w, in.bias);
}
