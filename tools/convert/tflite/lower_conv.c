/* CONV_2D, DEPTHWISE_CONV_2D and TRANSPOSE_CONV. Weights of the first and last lie as ours do: [O, kh, kw, I]. */
#include <string.h>

#include "convert/tflite/window.h"

typedef struct conv {
    ir_id x, w, bias;
    tmc_tensor_desc x_desc, w_desc;
    tflite_window window;
    tmc_act_params act;
} conv;

/* Any shape with one element per channel. */
static tmc_status read_bias(tflite_lower *lw, uint32_t index, uint32_t x, int32_t channels, ir_id *out) {
    TMC_TRY(tflite_bias(lw, index, x, 1, out));
    if (*out == IR_NONE) return TMC_OK;
    const tmc_tensor_desc *desc = tflite_desc(lw, *out);
    if (tmc_tensor_elements(desc) != (size_t)channels)
        return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "bias", "expected one value for each of %d channels", channels);
    return desc->rank == 1 ? TMC_OK : emit_reshape(&lw->e, *out, 1, &channels, out);
}

static tmc_status read_operands(tflite_lower *lw, uint32_t x, uint32_t w, conv *c) {
    memset(c, 0, sizeof *c);
    TMC_TRY(tflite_input(lw, x, &c->x));
    TMC_TRY(tflite_input(lw, w, &c->w));
    c->x_desc = *tflite_desc(lw, c->x);
    c->w_desc = *tflite_desc(lw, c->w);
    TMC_TRY(tflite_require_rank4(lw, "input", &c->x_desc));
    TMC_TRY(tflite_require_rank4(lw, "weights", &c->w_desc));
    for (int i = 0; i < 2; i++) {
        c->window.kernel[i] = c->w_desc.dims[1 + i];
        c->window.dilation[i] = 1;
    }
    return TMC_OK;
}

/* The other two operators around this one are folded into it. */
static void take_dilation(const tflite_dilation *d, tflite_window *window) {
    if (d->role != TFLITE_DILATION_CONV) return;
    for (int i = 0; i < 2; i++) {
        window->dilation[i] = d->factor[i];
        window->pad_begin[i] = d->pad_begin[i];
        window->pad_end[i] = d->pad_end[i];
    }
}

static tmc_conv_params conv_params(const conv *c, int32_t groups) {
    tmc_conv_params params = {.spatial = 2, .groups = groups, .act = c->act};
    tflite_window_store(c->window.kernel, 1, params.kernel);
    tflite_window_store(c->window.stride, 1, params.stride);
    tflite_window_store(c->window.dilation, 1, params.dilation);
    tflite_window_store(c->window.pad_begin, 0, params.pad_begin);
    tflite_window_store(c->window.pad_end, 0, params.pad_end);
    return params;
}

static tmc_status emit_conv(tflite_lower *lw, uint16_t op, const tmc_conv_params *params, const conv *c) {
    ir_id inputs[3] = {c->x, c->w, c->bias}, y;
    TMC_TRY(emit_node(&lw->e, op, params, inputs, c->bias == IR_NONE ? 2 : 3, &y));
    if (lw->dilation->role != TFLITE_DILATION_CONV) return tflite_set_output(lw, 0, y);
    return tflite_set_inner_output(lw, 0, y); /* the model declares the shape with blocks in the batch */
}

tmc_status tflite_lower_conv(tflite_lower *lw) {
    conv c;
    TMC_TRY(tflite_expect(lw, 2, 3, 1));
    TMC_TRY(read_operands(lw, 0, 1, &c));
    TMC_TRY(tflite_opt_i32(lw, CONV_STRIDE_H, 0, &c.window.stride[0]));
    TMC_TRY(tflite_opt_i32(lw, CONV_STRIDE_W, 0, &c.window.stride[1]));
    TMC_TRY(tflite_opt_i32(lw, CONV_DILATION_H, 1, &c.window.dilation[0]));
    TMC_TRY(tflite_opt_i32(lw, CONV_DILATION_W, 1, &c.window.dilation[1]));
    TMC_TRY(tflite_opt_activation(lw, CONV_ACTIVATION, &c.act));
    TMC_TRY(tflite_window_pads(lw, CONV_PADDING, &c.x_desc, &c.window));
    TMC_TRY(read_bias(lw, 2, 0, c.w_desc.dims[0], &c.bias));
    take_dilation(lw->dilation, &c.window);
    const int32_t channels = c.x_desc.dims[3], per_group = c.w_desc.dims[3];
    if (channels % per_group)
        return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "weights", "weights for %d channels per group, the input has %d",
                              per_group, channels);
    const tmc_conv_params params = conv_params(&c, channels / per_group);
    return emit_conv(lw, TMC_OP_CONV, &params, &c);
}

/* [1, kh, kw, C] loses its first axis. With a multiplier m, outputs c m to c m + m - 1 read input c: a convolution of C
 * groups with weights [C m, kh, kw, 1]. */
static tmc_status depthwise_weights(tflite_lower *lw, conv *c, bool multiplied) {
    static const int32_t to_groups[4] = {3, 1, 2, 0};
    if (multiplied) return emit_transpose(&lw->e, c->w, to_groups, &c->w);
    return emit_reshape(&lw->e, c->w, 3, c->w_desc.dims + 1, &c->w);
}

tmc_status tflite_lower_depthwise_conv(tflite_lower *lw) {
    conv c;
    int32_t multiplier;
    TMC_TRY(tflite_expect(lw, 2, 3, 1));
    TMC_TRY(read_operands(lw, 0, 1, &c));
    TMC_TRY(tflite_opt_i32(lw, DEPTHWISE_STRIDE_H, 0, &c.window.stride[0]));
    TMC_TRY(tflite_opt_i32(lw, DEPTHWISE_STRIDE_W, 0, &c.window.stride[1]));
    TMC_TRY(tflite_opt_i32(lw, DEPTHWISE_DILATION_H, 1, &c.window.dilation[0]));
    TMC_TRY(tflite_opt_i32(lw, DEPTHWISE_DILATION_W, 1, &c.window.dilation[1]));
    TMC_TRY(tflite_opt_i32(lw, DEPTHWISE_MULTIPLIER, 0, &multiplier));
    TMC_TRY(tflite_opt_activation(lw, DEPTHWISE_ACTIVATION, &c.act));
    TMC_TRY(tflite_window_pads(lw, DEPTHWISE_PADDING, &c.x_desc, &c.window));
    TMC_TRY(read_bias(lw, 2, 0, c.w_desc.dims[3], &c.bias));
    take_dilation(lw->dilation, &c.window);
    const int32_t channels = c.x_desc.dims[3], outputs = c.w_desc.dims[3];
    if (c.w_desc.dims[0] != 1 || outputs % channels || multiplier != outputs / channels)
        return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "depth_multiplier",
                              "%d, with %d input channels and weights for %d outputs", multiplier, channels, outputs);
    TMC_TRY(depthwise_weights(lw, &c, multiplier > 1));
    const tmc_conv_params params = conv_params(&c, channels);
    return emit_conv(lw, multiplier > 1 ? TMC_OP_CONV : TMC_OP_DEPTHWISE_CONV, &params, &c);
}

/* ---------------------------------------------------------------------------------------------------- transposed */

/* The output's size is an input of its own, and the padding is that of the convolution which goes the other way. What
 * the input does not reach is output padding: there the result is the bias. */
static tmc_status transposed_pads(tflite_lower *lw, const conv *c, int8_t padding, const tflite_ints *shape, int i,
                                  tmc_conv_params *params) {
    const int64_t out = shape->values[1 + i], kernel = c->window.kernel[i], stride = c->window.stride[i];
    if (stride < 1) return tmc_fail_field(lw->e.err, TMC_E_RANGE, "stride", "stride %lld", (long long)stride);
    if (out < 1 || out > INT32_MAX)
        return tmc_fail_field(lw->e.err, TMC_E_RANGE, "output_shape", "size %lld", (long long)out);
    const int64_t reach = (c->x_desc.dims[1 + i] - 1) * stride + kernel;
    const int64_t begin = padding == TFLITE_PADDING_SAME ? tflite_same_total(out, kernel, stride, 1) / 2 : 0;
    const int64_t end = reach - begin - out;
    TMC_TRY(tflite_to_i32(lw, "output_shape", begin, &params->pad_begin[1 + i]));
    TMC_TRY(tflite_to_i32(lw, "output_shape", end > 0 ? end : 0, &params->pad_end[1 + i]));
    return tflite_to_i32(lw, "output_shape", end < 0 ? -end : 0, &params->output_pad[1 + i]);
}

tmc_status tflite_lower_transpose_conv(tflite_lower *lw) {
    conv c;
    tflite_ints shape;
    int8_t padding;
    TMC_TRY(tflite_expect(lw, 3, 4, 1));
    TMC_TRY(read_operands(lw, 2, 1, &c));
    TMC_TRY(tflite_input_ints(lw, 0, "output_shape", &shape));
    TMC_TRY(tflite_opt_choice(lw, TRANSPOSE_CONV_PADDING, &padding));
    TMC_TRY(tflite_opt_i32(lw, TRANSPOSE_CONV_STRIDE_H, 0, &c.window.stride[0]));
    TMC_TRY(tflite_opt_i32(lw, TRANSPOSE_CONV_STRIDE_W, 0, &c.window.stride[1]));
    TMC_TRY(tflite_opt_activation(lw, TRANSPOSE_CONV_ACTIVATION, &c.act));
    TMC_TRY(read_bias(lw, 3, 2, c.w_desc.dims[0], &c.bias));
    if (padding != TFLITE_PADDING_SAME && padding != TFLITE_PADDING_VALID)
        return tflite_refuse(lw, "padding", "padding %d is not supported", padding);
    if (shape.count != 4 || shape.values[3] != c.w_desc.dims[0] || shape.values[0] != c.x_desc.dims[0])
        return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "output_shape", "not four numbers that fit input and weights");
    tmc_conv_params params = conv_params(&c, 1);
    for (int i = 0; i < 2; i++) TMC_TRY(transposed_pads(lw, &c, padding, &shape, i, &params));
    return emit_conv(lw, TMC_OP_CONV_TRANSPOSE, &params, &c);
}
