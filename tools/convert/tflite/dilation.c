#include "convert/tflite/dilation.h"

#include <stdlib.h>

#include "convert/memory.h"
#include "convert/tflite/builtin_list.h"

/* Per tensor: which operator makes it, which one reads it, and how often it is read (a model output is one more). */
typedef struct tensor_links {
    uint32_t producer, reader, reads;
} tensor_links;

static tensor_links *find_links(const tflite_model *model) {
    tensor_links *links = x_alloc_array(model->tensor_count, sizeof *links);
    for (uint32_t i = 0; i < model->tensor_count; i++) links[i].producer = UINT32_MAX;
    for (uint32_t i = 0; i < model->output_count; i++) links[model->outputs[i]].reads += 2;
    for (uint32_t i = 0; i < model->operator_count; i++) {
        const tflite_operator *op = &model->operators[i];
        for (uint32_t k = 0; k < op->output_count; k++)
            if (op->outputs[k] >= 0) links[op->outputs[k]].producer = i;
        for (uint32_t k = 0; k < op->input_count; k++)
            if (op->inputs[k] >= 0) {
                links[op->inputs[k]].reader = i;
                links[op->inputs[k]].reads++;
            }
    }
    return links;
}

/* A constant list of `count` 32-bit integers. */
static bool constant_ints(const tflite_model *model, int32_t tensor, uint32_t count, int32_t *out) {
    if (tensor < 0) return false;
    const tflite_tensor *record = &model->tensors[tensor];
    if (!record->data || record->type != TFLITE_INT32 || record->data_bytes != count * sizeof *out) return false;
    const fb_vector vector = {(size_t)(record->data - model->reader.bytes), count};
    for (uint32_t i = 0; i < count; i++) out[i] = fb_vector_i32(&model->reader, &vector, i);
    return true;
}

typedef struct blocks {
    int32_t factor[2], begin[2], end[2];
} blocks;

/* Of an operator that moves blocks of height and width into the batch or back: x, factors, pads or crops. */
static bool read_blocks(const tflite_model *model, const tflite_operator *op, int32_t code, blocks *out) {
    int32_t pads[4];
    if (op->code->builtin != code || op->input_count != 3 || op->output_count != 1 || op->inputs[0] < 0) return false;
    if (model->tensors[op->inputs[0]].rank != 4) return false;
    if (!constant_ints(model, op->inputs[1], 2, out->factor) || !constant_ints(model, op->inputs[2], 4, pads))
        return false;
    for (int i = 0; i < 2; i++) {
        out->begin[i] = pads[2 * i];
        out->end[i] = pads[2 * i + 1];
    }
    return out->factor[0] > 0 && out->factor[1] > 0;
}

/* The convolution sees every factor-th pixel: it must not skip pixels or pad on its own. */
static bool is_plain_conv(const tflite_model *model, const tflite_operator *op) {
    const bool depthwise = op->code->builtin == BUILTIN_DEPTHWISE_CONV_2D;
    const uint8_t options = depthwise ? OPTIONS_DEPTHWISE_CONV_2D : OPTIONS_CONV_2D;
    int32_t number[4];
    int8_t padding;
    fb_reader reader = model->reader;
    tmc_error ignored;
    tmc_error_init(&ignored);
    reader.err = &ignored;
    if (!depthwise && op->code->builtin != BUILTIN_CONV_2D) return false;
    if (op->options_type != options || op->input_count < 2 || op->output_count != 1 || op->outputs[0] < 0) return false;
    if (fb_i8(&reader, &op->options, CONV_PADDING, 0, &padding) || padding != TFLITE_PADDING_VALID) return false;
    const uint32_t slots[4] = {CONV_STRIDE_W, CONV_STRIDE_H, depthwise ? DEPTHWISE_DILATION_W : CONV_DILATION_W,
                               depthwise ? DEPTHWISE_DILATION_H : CONV_DILATION_H};
    for (int i = 0; i < 4; i++)
        if (fb_i32(&reader, &op->options, slots[i], 1, &number[i]) || number[i] != 1) return false;
    return true;
}

/* The outputs cropped off are those that padding made, so less padding gives the rest. */
static bool join(const blocks *in, const blocks *out, tflite_dilation *conv) {
    for (int i = 0; i < 2; i++) {
        if (in->factor[i] != out->factor[i]) return false;
        if (out->begin[i] < 0 || out->end[i] < 0 || in->begin[i] < out->begin[i] || in->end[i] < out->end[i])
            return false;
        conv->factor[i] = in->factor[i];
        conv->pad_begin[i] = in->begin[i] - out->begin[i];
        conv->pad_end[i] = in->end[i] - out->end[i];
    }
    conv->role = TFLITE_DILATION_CONV;
    return true;
}

static void find_group(const tflite_model *model, const tensor_links *links, uint32_t index, tflite_dilation *found) {
    const tflite_operator *op = &model->operators[index];
    blocks in, out;
    if (!is_plain_conv(model, op) || op->inputs[0] < 0) return;
    const tensor_links *x = &links[op->inputs[0]], *y = &links[op->outputs[0]];
    if (x->producer == UINT32_MAX || x->reads != 1 || y->reads != 1) return;
    if (!read_blocks(model, &model->operators[x->producer], BUILTIN_SPACE_TO_BATCH_ND, &in)) return;
    if (!read_blocks(model, &model->operators[y->reader], BUILTIN_BATCH_TO_SPACE_ND, &out)) return;
    if (model->operators[y->reader].inputs[0] != op->outputs[0] || !join(&in, &out, &found[index])) return;
    found[x->producer].role = TFLITE_DILATION_PASS;
    found[y->reader].role = TFLITE_DILATION_PASS;
}

tflite_dilation *tflite_find_dilations(const tflite_model *model) {
    tflite_dilation *found = x_alloc_array(model->operator_count, sizeof *found);
    tensor_links *links = find_links(model);
    for (uint32_t i = 0; i < model->operator_count; i++) find_group(model, links, i, found);
    free(links);
    return found;
}
