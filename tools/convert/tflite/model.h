/* A TFLite file as structs: everything that an importer may need, checked, but not yet understood. */
#ifndef TMC_CONVERT_TFLITE_MODEL_H
#define TMC_CONVERT_TFLITE_MODEL_H

#include "convert/tflite/flatbuffer.h"
#include "convert/tflite/schema.h"

/* real = scale[c] * (stored - zero_point[c]); c counts along `dimension`, or there is one pair for the whole tensor.
 * Only tensors of integers have it: what a file says about floats is left over from training and is dropped. */
typedef struct tflite_quantization {
    uint32_t count; /* 0: not quantised */
    float *scale;
    int64_t *zero_point; /* always as many */
    int32_t dimension;
} tflite_quantization;

typedef struct tflite_tensor {
    const char *name; /* "" where the file has none */
    int32_t type;     /* tflite_type, or a number that we do not know */
    int32_t rank;
    int32_t dims[TMC_MAX_RANK]; /* 0 is possible: no elements */
    bool open[TMC_MAX_RANK];    /* dims that the model leaves open; dims[] then has an example */
    bool rank_unknown;          /* the shape is only known when it runs */
    const uint8_t *data;        /* constants: in the file; else NULL */
    size_t data_bytes;
    uint32_t buffer;
    tflite_quantization quantization;
    bool is_variable;
    const char *refusal; /* why no importer can take it (sparse, external, ...), or NULL */
} tflite_tensor;

typedef struct tflite_code {
    int32_t builtin;
    int32_t version;
    const char *custom; /* "" where the file has none */
} tflite_code;

typedef struct tflite_operator {
    const tflite_code *code;
    int32_t *inputs, *outputs; /* tensors; -1: absent optional input */
    uint32_t input_count, output_count;
    uint8_t options_type;
    fb_table options; /* at == 0: none */
    bool has_variables;
} tflite_operator;

typedef struct tflite_model {
    fb_reader reader;
    const char *name, *description; /* "" where the file has none */
    tflite_tensor *tensors;
    uint32_t tensor_count;
    tflite_code *codes;
    uint32_t code_count;
    tflite_operator *operators;
    uint32_t operator_count;
    int32_t *inputs, *outputs;
    uint32_t input_count, output_count;
} tflite_model;

/* Reads the whole file; `bytes` must outlive the model. To be cleared in any case. Errors: E_FORMAT, E_VERSION,
 * E_LIMIT, E_RANGE (buffers), E_GRAPH (indices of operator codes), E_SHAPE, E_QUANT, E_UNSUPPORTED (several subgraphs).
 */
tmc_status tflite_model_read(tflite_model *model, const void *bytes, size_t size, tmc_error *err);
/* Operators run as they are listed: every index is in range, everything is written once, before it is read. E_GRAPH. */
tmc_status tflite_model_check(const tflite_model *model, tmc_error *err);
void tflite_model_clear(tflite_model *model);

/* "int8"; "?" if unknown. */
const char *tflite_type_name(int32_t type);
/* Bits of one element; 0 where there is no such number. */
uint32_t tflite_type_bits(int32_t type);

#endif
