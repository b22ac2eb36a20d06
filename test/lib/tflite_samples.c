#include "lib/tflite_samples.h"

#include <string.h>

enum { FLOAT32 = 0, FLOAT16 = 1, INT32 = 2 };
enum { DEQUANTIZE = 6, CONV_2D = 3, RESHAPE = 22, CONV_2D_OPTIONS = 1, RESHAPE_OPTIONS = 17, RELU6 = 3 };

static size_t offsets(fbw *b, uint32_t count) { return fbw_vector(b, 4, count, NULL); }

static void refer_element(fbw *b, size_t vector, uint32_t index, size_t to) {
    fbw_refer(b, vector + 4 + 4 * (size_t)index, to);
}

static void add_codes(tflite_sample *s) {
    static const uint8_t codes[SAMPLE_OPERATORS] = {DEQUANTIZE, CONV_2D, RESHAPE};
    s->codes = offsets(&s->b, SAMPLE_OPERATORS);
    fbw_link(&s->b, s->model, 1, s->codes);
    for (uint32_t i = 0; i < SAMPLE_OPERATORS; i++) {
        s->code[i] = fbw_table(&s->b, "1444");
        fbw_set_u8(&s->b, s->code[i], 0, codes[i]);
        fbw_set_u32(&s->b, s->code[i], 2, 1);
        fbw_set_u32(&s->b, s->code[i], 3, codes[i]);
        fbw_link(&s->b, s->code[i], 1, fbw_string(&s->b, ""));
        refer_element(&s->b, s->codes, i, s->code[i]);
    }
}

static void add_buffers(tflite_sample *s) {
    uint16_t halves[54];
    float bias[3] = {0.5f, -0.25f, 1.0f};
    int32_t target[2] = {1, 48};
    for (int i = 0; i < 54; i++) halves[i] = (uint16_t)((i % 2 ? 0x3800 : 0xb400) + 16 * i); /* 0.5.. and -0.25.. */
    const void *data[SAMPLE_BUFFERS] = {NULL, halves, bias, target};
    const uint32_t sizes[SAMPLE_BUFFERS] = {0, sizeof halves, sizeof bias, sizeof target};
    s->buffers = offsets(&s->b, SAMPLE_BUFFERS);
    fbw_link(&s->b, s->model, 4, s->buffers);
    for (uint32_t i = 0; i < SAMPLE_BUFFERS; i++) {
        s->buffer[i] = fbw_table(&s->b, i ? "488" : "");
        refer_element(&s->b, s->buffers, i, s->buffer[i]);
        if (!i) continue;
        s->data[i] = fbw_vector(&s->b, 1, sizes[i], data[i]);
        fbw_link(&s->b, s->buffer[i], 0, s->data[i]);
    }
}

static void add_quantization(tflite_sample *s, uint32_t index) {
    static const float scales[3] = {0.5f, 0.25f, 0.125f};
    static const int64_t zeros[3] = {0, 0, 0};
    s->quantization[index] = fbw_table(&s->b, "..44144");
    s->scale = fbw_vector(&s->b, 4, 3, scales);
    s->zero_point = fbw_vector(&s->b, 8, 3, zeros);
    fbw_link(&s->b, s->tensor[index], 4, s->quantization[index]);
    fbw_link(&s->b, s->quantization[index], 2, s->scale);
    fbw_link(&s->b, s->quantization[index], 3, s->zero_point);
    fbw_link(&s->b, s->quantization[index], 5, fbw_table(&s->b, "")); /* details of no kind are never read */
}

static void add_tensors(tflite_sample *s) {
    static const struct {
        const char *name;
        uint8_t type;
        uint32_t buffer, rank;
        int32_t dims[4];
    } tensors[SAMPLE_TENSORS] = {
        {"x", FLOAT32, 0, 4, {1, 4, 4, 2}}, {"w", FLOAT16, 1, 4, {3, 3, 3, 2}}, {"w2", FLOAT32, 0, 4, {3, 3, 3, 2}},
        {"b", FLOAT32, 2, 1, {3}},          {"y", FLOAT32, 0, 4, {1, 4, 4, 3}}, {"shape", INT32, 3, 1, {2}},
        {"z", FLOAT32, 0, 2, {1, 48}},
    };
    s->tensors = offsets(&s->b, SAMPLE_TENSORS);
    fbw_link(&s->b, s->subgraph, 0, s->tensors);
    for (uint32_t i = 0; i < SAMPLE_TENSORS; i++) {
        s->tensor[i] = fbw_table(&s->b, i == 1 ? "414441" : "4144.1");
        s->shape[i] = fbw_vector(&s->b, 4, tensors[i].rank, tensors[i].dims);
        fbw_link(&s->b, s->tensor[i], 0, s->shape[i]);
        fbw_set_u8(&s->b, s->tensor[i], 1, tensors[i].type);
        fbw_set_u32(&s->b, s->tensor[i], 2, tensors[i].buffer);
        fbw_link(&s->b, s->tensor[i], 3, fbw_string(&s->b, tensors[i].name));
        refer_element(&s->b, s->tensors, i, s->tensor[i]);
    }
    add_quantization(s, 1);
}

static void add_operators(tflite_sample *s) {
    static const int32_t inputs[SAMPLE_OPERATORS][3] = {{1}, {0, 2, 3}, {4, 5}}, outputs[SAMPLE_OPERATORS] = {2, 4, 6};
    static const uint32_t counts[SAMPLE_OPERATORS] = {1, 3, 2};
    s->operators = offsets(&s->b, SAMPLE_OPERATORS);
    fbw_link(&s->b, s->subgraph, 3, s->operators);
    for (uint32_t i = 0; i < SAMPLE_OPERATORS; i++) {
        s->operator_[i] = fbw_table(&s->b, i ? "44414" : "444");
        fbw_set_u32(&s->b, s->operator_[i], 0, i);
        s->inputs[i] = fbw_vector(&s->b, 4, counts[i], inputs[i]);
        s->outputs[i] = fbw_vector(&s->b, 4, 1, &outputs[i]);
        fbw_link(&s->b, s->operator_[i], 1, s->inputs[i]);
        fbw_link(&s->b, s->operator_[i], 2, s->outputs[i]);
        refer_element(&s->b, s->operators, i, s->operator_[i]);
    }
    s->options[1] = fbw_table(&s->b, "144144");
    for (uint32_t slot = 1; slot <= 2; slot++) fbw_set_u32(&s->b, s->options[1], slot, 1);
    for (uint32_t slot = 4; slot <= 5; slot++) fbw_set_u32(&s->b, s->options[1], slot, 1);
    fbw_set_u8(&s->b, s->options[1], 3, RELU6);
    fbw_set_u8(&s->b, s->operator_[1], 3, CONV_2D_OPTIONS);
    fbw_link(&s->b, s->operator_[1], 4, s->options[1]);
    s->options[2] = fbw_table(&s->b, "");
    fbw_set_u8(&s->b, s->operator_[2], 3, RESHAPE_OPTIONS);
    fbw_link(&s->b, s->operator_[2], 4, s->options[2]);
}

tflite_sample tflite_sample_make(void) {
    static const int32_t input = 0, output = 6;
    tflite_sample s = {.b = fbw_new("TFL3")};
    s.model = fbw_table(&s.b, "44444");
    fbw_root(&s.b, s.model);
    fbw_set_u32(&s.b, s.model, 0, 3);
    fbw_link(&s.b, s.model, 3, fbw_string(&s.b, "a sample"));
    add_codes(&s);
    s.subgraphs = offsets(&s.b, 1);
    fbw_link(&s.b, s.model, 2, s.subgraphs);
    s.subgraph = fbw_table(&s.b, "44444");
    refer_element(&s.b, s.subgraphs, 0, s.subgraph);
    fbw_link(&s.b, s.subgraph, 4, fbw_string(&s.b, "main"));
    add_tensors(&s);
    s.graph_inputs = fbw_vector(&s.b, 4, 1, &input);
    s.graph_outputs = fbw_vector(&s.b, 4, 1, &output);
    fbw_link(&s.b, s.subgraph, 1, s.graph_inputs);
    fbw_link(&s.b, s.subgraph, 2, s.graph_outputs);
    add_operators(&s);
    add_buffers(&s);
    return s;
}
