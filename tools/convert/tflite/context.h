/* State of one import: what each tensor of the model stands for. */
#ifndef TMC_CONVERT_TFLITE_CONTEXT_H
#define TMC_CONVERT_TFLITE_CONTEXT_H

#include "convert/tflite/dilation.h"
#include "convert/tflite/dims.h"
#include "convert/tflite/lower.h"
#include "convert/tflite/tflite_import.h"

typedef enum tflite_value_kind {
    TFLITE_VALUE_UNSET, /* a constant that nothing has read yet, or nothing has written it */
    TFLITE_VALUE_TENSOR,
    TFLITE_VALUE_REFUSED /* reported; what reads it is not lowered */
} tflite_value_kind;

typedef struct tflite_value {
    tflite_value_kind kind;
    ir_id id;   /* TENSOR */
    ir_id real; /* of a quantised tensor: dequantised, IR_NONE as long as nothing reads it */
} tflite_value;

struct tflite_context {
    const tflite_model *model;
    const tflite_dims *dims;
    ir_graph *graph;
    tflite_value *values;         /* per tensor of the model */
    tflite_dilation *dilations;   /* per operator */
    bool resized;                 /* an input has other dims than in the file, so declared shapes do not hold */
    uint64_t constant_bytes_left; /* the emitters' budget */
    import_issues issues;
    tmc_error *err;
};

/* The type of ours with the same elements; 0 if there is none. */
tmc_dtype tflite_dtype(int32_t type);

/* The constant behind a tensor becomes one of the graph. E_UNSUPPORTED (type), E_LIMIT, E_SHAPE (no elements). */
tmc_status tflite_load_constant(tflite_context *ctx, uint32_t tensor, tmc_error *err);

/* int8 or uint8 with scales. */
bool tflite_is_quantised(const tflite_tensor *record);
/* Of a tensor with one scale; uint8 is moved by 128. */
tmc_quantization tflite_activation_quantization(const tflite_tensor *record);

/* Reports types that are not supported, once for all quantised tensors, and refuses these tensors. */
void tflite_refuse_types(tflite_context *ctx);

#endif
