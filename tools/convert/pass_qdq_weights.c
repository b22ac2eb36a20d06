#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convert/integers.h"
#include "convert/memory.h"
#include "convert/pass_qdq.h"
#include "convert/pass_util.h"

bool qdq_has_weights(const ir_node *node) {
    return node->op == TMC_OP_CONV || node->op == TMC_OP_DEPTHWISE_CONV || node->op == TMC_OP_CONV_TRANSPOSE ||
           node->op == TMC_OP_FULLY_CONNECTED;
}

/* What a node becomes; freed by plan_clear. */
typedef struct plan {
    ir_id x, quantize, output;
    uint32_t channels;
    int8_t *weights;
    float *scales;
    int32_t *bias; /* NULL: none */
} plan;

static void plan_clear(plan *p) {
    free(p->weights);
    free(p->scales);
    free(p->bias);
}

static const char *read_weights(const ir_tensor *w, int32_t axis, plan *p) {
    p->channels = (uint32_t)w->desc.dims[axis];
    p->scales = x_alloc_array(p->channels, sizeof *p->scales);
    int32_t *values = integers_read(w);
    if (!values) return "its weights are not quantised";
    const size_t count = tmc_tensor_elements(&w->desc);
    bool fits = integers_scales(w, axis, p->channels, p->scales);
    const char *why = fits ? NULL : "its weights have scales along another axis than that of the outputs";
    p->weights = x_alloc(count);
    for (size_t i = 0; fits && i < count; i++) {
        fits = values[i] >= -128 && values[i] <= 127;
        p->weights[i] = (int8_t)(fits ? values[i] : 0);
        if (!fits) why = "its weights, less their zero point, do not fit int8 (uint8 weights)";
    }
    free(values);
    return why;
}

/* The integers of the source where their unit is ours, else the nearest to the float. */
static bool read_bias(const ir_tensor *b, double x_scale, plan *p) {
    const float *data = b->data;
    int32_t *values = integers_read(b);
    bool fits = true;
    p->bias = x_alloc_array(p->channels, sizeof *p->bias);
    for (uint32_t c = 0; c < p->channels; c++) {
        const double unit = x_scale * (double)p->scales[c];
        const double own = values ? (double)b->integers->scales[b->integers->count > 1 ? c : 0] : 0;
        const double value = fabs(own - unit) <= 1e-5 * unit ? (double)values[c] : rint((double)data[c] / unit);
        fits = fits && fabs(value) <= INT32_MAX; /* not for NaN */
        p->bias[c] = fits ? (int32_t)value : 0;
    }
    free(values);
    return fits;
}

/* The largest sum that a channel can reach: all products, its bias, and what the input's zero point adds to that. */
static bool sum_fits(const plan *p, uint32_t c, bool channels_last, uint64_t k, int32_t zero_point) {
    uint64_t weights = 0;
    for (uint64_t i = 0; i < k; i++)
        weights += (uint64_t)abs(p->weights[channels_last ? i * p->channels + c : c * k + i]);
    const uint64_t bias = p->bias ? (uint64_t)llabs((long long)p->bias[c]) : 0;
    return bias + weights * (uint64_t)abs(zero_point) + k * 128 * 255 <= INT32_MAX;
}

static const char *check_ranges(const plan *p, bool channels_last, uint64_t k, const tmc_quantization *x,
                                float y_scale) {
    for (uint32_t c = 0; c < p->channels; c++) {
        const float multiplier = (float)((double)x->scale * (double)p->scales[c] / (double)y_scale);
        if (!isnormal(multiplier)) return "the ratio of its scales is no normal number";
        if (!sum_fits(p, c, channels_last, k, x->zero_point)) return "its sums could leave 32 bits";
    }
    return NULL;
}

static const char *make_plan(const ir_graph *graph, ir_id id, plan *p) {
    const ir_node *node = &graph->nodes[id];
    *p = (plan){.x = qdq_source(graph, node->inputs[0]), .quantize = qdq_sink(graph, node->outputs[0])};
    const bool has_bias = node->input_count > 2 && node->inputs[2] != IR_NONE;
    if (!pass_floats(graph, node->inputs[1])) return "its weights are not constant";
    const ir_tensor *w = &graph->tensors[node->inputs[1]];
    const char *why = read_weights(w, node->op == TMC_OP_DEPTHWISE_CONV ? w->desc.rank - 1 : 0, p);
    if (why) return why;
    if (p->x == IR_NONE) return "its input is not quantised: its weights are stored as f32 (dynamic range)";
    if (p->quantize == IR_NONE) return "its result is not quantised, or read by several";
    p->output = graph->nodes[p->quantize].outputs[0];
    const tmc_quantization *x = qdq_of(graph, p->x);
    if (has_bias && !pass_floats(graph, node->inputs[2])) return "its bias is not constant";
    if (has_bias && !read_bias(&graph->tensors[node->inputs[2]], (double)x->scale, p))
        return "its bias does not fit 32 bits";
    return check_ranges(p, node->op == TMC_OP_DEPTHWISE_CONV, tmc_tensor_elements(&w->desc) / p->channels, x,
                        qdq_of(graph, p->output)->scale);
}

const char *qdq_why_no_weights(const ir_graph *graph, ir_id id) {
    plan p;
    const char *why = make_plan(graph, id, &p);
    plan_clear(&p);
    return why;
}

static tmc_status replace(ir_graph *graph, ir_id id, const plan *p, tmc_error *err) {
    const ir_node node = graph->nodes[id];
    const tmc_tensor_desc bias = {.dtype = TMC_I32, .rank = 1, .dims = {(int32_t)p->channels}};
    const tmc_quantization per_channel = {.channels = p->channels}, y = *qdq_of(graph, p->output);
    tmc_tensor_desc desc = graph->tensors[node.inputs[1]].desc;
    ir_id inputs[3] = {p->x, IR_NONE, IR_NONE};
    desc.dtype = TMC_I8;
    inputs[1] = ir_add_constant(graph, graph->tensors[node.inputs[1]].name, &desc, p->weights);
    ir_set_quantization(graph, inputs[1], &per_channel, p->scales);
    if (p->bias) inputs[2] = ir_add_constant(graph, graph->tensors[node.inputs[2]].name, &bias, p->bias);
    TMC_TRY(qdq_add(graph, id, node.op, node.params, inputs, p->bias ? 3 : 2, &y, p->output, NULL, err));
    ir_kill_node(graph, p->quantize);
    ir_kill_node(graph, id);
    return TMC_OK;
}

tmc_status qdq_rewrite_weights(ir_graph *graph, ir_id id, bool *done, tmc_error *err) {
    plan p;
    tmc_status status = TMC_OK;
    *done = !make_plan(graph, id, &p);
    if (*done) status = replace(graph, id, &p, err);
    plan_clear(&p);
    return status;
}
