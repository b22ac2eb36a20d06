/* 3x3 convolutions by Winograd's algorithm, where a cost model finds that faster: docs/converter.md. */
#include <math.h>
#include <stdlib.h>

#include "convert/memory.h"
#include "convert/pass_util.h"
#include "convert/passes.h"
#include "format/packing.h"
#include "graph/packed.h"

/* ------------------------------------------------------------------------------------------------- what can have it */

static bool can_transform(const ir_graph *graph, const ir_node *node) {
    if (node->dead || node->op != TMC_OP_CONV) return false;
    const tmc_conv_params *p = node->params;
    if (p->spatial != 2 || p->groups != 1) return false;
    for (int i = 1; i < 3; i++)
        if (p->kernel[i] != 3 || p->stride[i] != 1 || p->dilation[i] != 1 || p->pad_begin[i] > 2 || p->pad_end[i] > 2)
            return false;
    const bool has_bias = node->input_count > 2 && node->inputs[2] != IR_NONE;
    return pass_floats(graph, node->inputs[1]) && (!has_bias || pass_floats(graph, node->inputs[2]));
}

/* -------------------------------------------------------------------------------------------------------- weights */

/* Far from where the transform of three taps by three, or of a pixel, overflows: such weights stay direct. */
#define LARGEST_WEIGHT 1e30f

static bool small_weights(const ir_tensor *w) {
    const float *data = w->data;
    for (size_t i = 0; i < w->data_bytes / sizeof *data; i++)
        if (!(fabsf(data[i]) <= LARGEST_WEIGHT)) return false;
    return true;
}

/* [outputs,3,3,channels] as [outputs,channels,3,3]. */
static float *taps_of(const float *w, size_t outputs, size_t channels) {
    float *taps = x_alloc(outputs * channels * 9 * sizeof *taps), *to = taps;
    for (size_t o = 0; o < outputs; o++, w += 9 * channels)
        for (size_t c = 0; c < channels; c++)
            for (size_t i = 0; i < 9; i++) *to++ = w[i * channels + c];
    return taps;
}

static bool replace_weights(ir_graph *graph, ir_id id, size_t tile) {
    const ir_node *node = &graph->nodes[id];
    const ir_tensor *w = &graph->tensors[node->inputs[1]];
    const bool has_bias = node->input_count > 2 && node->inputs[2] != IR_NONE;
    const float *bias = has_bias ? graph->tensors[node->inputs[2]].data : NULL;
    tmc_tensor_desc desc = w->desc;
    desc.packing = tile == 2 ? TMC_PACK_F32_WINOGRAD_2X2 : TMC_PACK_F32_WINOGRAD_4X4;
    const tmc_pack_shape shape = tmc_packed_shape(node->op, node->params, &desc);
    const uint64_t floats = tmc_pack_floats(&shape);
    if (floats > TMC_FILE_MAX_TENSOR_BYTES / sizeof(float) || !small_weights(w)) return false;

    float *taps = taps_of(w->data, shape.columns, shape.channels), *data = x_alloc(floats * sizeof *data);
    const size_t k = 9 * shape.channels;
    tmc_pack_panels(data, taps, shape.columns, k, k, 1, bias);
    free(taps);
    const ir_id packed = ir_add_tensor(graph, w->name, &desc);
    ir_tensor *t = &graph->tensors[packed];
    t->desc.packing = t->alt.packing = desc.packing;
    t->data = data;
    t->data_bytes = floats * sizeof *data;
    ir_set_input(graph, id, 1, packed);
    ir_truncate_inputs(graph, id, 2);
    return true;
}

/* ------------------------------------------------------------------------------------------------------ cost model */

/* Rates of one core of a desktop CPU, in multiply-accumulates, channels and bytes for each microsecond; only their
 * ratios matter, and those of other CPUs differ little. docs/decisions/0008-winograd.md has the measurements. */
#define MACS_PER_US 58600.0
#define DIRECT_EFFICIENCY 0.94
#define PRODUCT_EFFICIENCY 0.97
#define PRODUCT_START 6.0            /* a product costs as much as if it had so many more channels */
#define MEMORY_BYTES_PER_US 27000.0  /* weights of a deep network come from memory: no layer is faster than they are */
#define HIDDEN_BYTES_PER_US 100000.0 /* what reading them costs beside the arithmetic */

/* An algorithm with larger errors has to save a tenth. */
#define LEAST_GAIN 0.9

static double output_tiles(const tmc_tensor_desc *y, size_t tile) {
    double tiles = y->dims[0];
    for (int i = 1; i < 3; i++) tiles *= (double)(((size_t)y->dims[i] + tile - 1) / tile);
    return tiles;
}

/* Microseconds of one run; tile 0: the direct algorithm. */
static double price_of(const tmc_tensor_desc *x, const tmc_tensor_desc *y, size_t tile) {
    const double channels = x->dims[3], columns = (double)tmc_panel_columns_up((size_t)y->dims[3]);
    const double tiles = output_tiles(y, tile ? tile : 1), bytes = 9 * channels * columns * sizeof(float);
    double us;
    if (tile == 0) {
        us = tiles * 9 * channels * columns / (DIRECT_EFFICIENCY * MACS_PER_US);
    } else {
        /* Nanoseconds of a tile's transforms for each channel and column, of finding its pixels, and of the transform
         * of a kernel. */
        const double input = tile == 2 ? 1.5 : 3.9, output = tile == 2 ? 1.3 : 3.3, place = 40;
        const double weights = tile == 2 ? 0.8 : 1.7,
                     positions = (double)(tmc_winograd_alpha(tile) * tmc_winograd_alpha(tile));
        us = tiles * positions * (channels + PRODUCT_START) * columns / (PRODUCT_EFFICIENCY * MACS_PER_US);
        us += (tiles * (channels * input + columns * output + place) + channels * columns * weights) * 1e-3;
    }
    return fmax(us, bytes / MEMORY_BYTES_PER_US) + bytes / HIDDEN_BYTES_PER_US;
}

/* 2, 4, or 0: none; by the default shape where the input's dims may vary. */
static size_t fastest_tile(const ir_graph *graph, const ir_node *node) {
    const tmc_tensor_desc *x = &graph->tensors[node->inputs[0]].desc, *y = &graph->tensors[node->outputs[0]].desc;
    double best = LEAST_GAIN * price_of(x, y, 0);
    size_t chosen = 0;
    for (size_t tile = 2; tile <= 4; tile += 2) {
        const double us = price_of(x, y, tile);
        if (us > best) continue;
        best = us;
        chosen = tile;
    }
    return chosen;
}

static void transform_all(ir_graph *graph, size_t tile, uint32_t *changes) {
    for (ir_id id = 0; id < graph->node_count; id++) {
        const ir_node *node = &graph->nodes[id];
        if (!can_transform(graph, node)) continue;
        const size_t chosen = tile ? tile : fastest_tile(graph, node);
        if (chosen) *changes += replace_weights(graph, id, chosen);
    }
}

tmc_status pass_winograd(ir_graph *graph, uint32_t *changes, tmc_error *err) {
    (void)err;
    transform_all(graph, 0, changes);
    return TMC_OK;
}

tmc_status pass_winograd_2x2(ir_graph *graph, uint32_t *changes, tmc_error *err) {
    (void)err;
    transform_all(graph, 2, changes);
    return TMC_OK;
}

tmc_status pass_winograd_4x4(ir_graph *graph, uint32_t *changes, tmc_error *err) {
    (void)err;
    transform_all(graph, 4, changes);
    return TMC_OK;
}
