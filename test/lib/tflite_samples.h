/* A small TFLite model for tests, with the places of everything in it: a case breaks one of them.
 *
 *   0 x [1,4,4,2]   1 w [3,3,3,2] float16   2 w2 float32   3 b [3]   4 y [1,4,4,3]   5 shape [2] = 1, 48   6 z [1,48]
 *   0 DEQUANTIZE 1 -> 2     1 CONV_2D 0, 2, 3 -> 4 (SAME, relu6)     2 RESHAPE 4, 5 -> 6 */
#ifndef TMC_TEST_TFLITE_SAMPLES_H
#define TMC_TEST_TFLITE_SAMPLES_H

#include "lib/flatbuffer_build.h"

enum { SAMPLE_TENSORS = 7, SAMPLE_OPERATORS = 3, SAMPLE_BUFFERS = 4 };

/* Positions of tables and vectors (of their counts). */
typedef struct tflite_sample {
    fbw b;
    size_t model, codes, code[SAMPLE_OPERATORS], subgraphs, subgraph, tensors, tensor[SAMPLE_TENSORS];
    size_t shape[SAMPLE_TENSORS], quantization[SAMPLE_TENSORS], scale, zero_point; /* of tensor 1: a float ignores it */
    size_t operators, operator_[SAMPLE_OPERATORS], inputs[SAMPLE_OPERATORS], outputs[SAMPLE_OPERATORS];
    size_t options[SAMPLE_OPERATORS], graph_inputs, graph_outputs, buffers, buffer[SAMPLE_BUFFERS];
    size_t data[SAMPLE_BUFFERS];
} tflite_sample;

/* Its bytes are to be freed with fbw_free(&sample.b). */
tflite_sample tflite_sample_make(void);

#endif
