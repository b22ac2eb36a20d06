/* Which tensors have a type that this version cannot take, said in as few lines as there are reasons. */
#include <stdio.h>
#include <stdlib.h>

#include "convert/memory.h"
#include "convert/tflite/context.h"

typedef struct tensor_use {
    bool used, by_float; /* read or written at all; read by an operator whose result is float */
} tensor_use;

static void mark(tensor_use *uses, const int32_t *tensors, uint32_t count, bool by_float) {
    for (uint32_t i = 0; i < count; i++) {
        if (tensors[i] < 0) continue;
        uses[tensors[i]].used = true;
        uses[tensors[i]].by_float = uses[tensors[i]].by_float || by_float;
    }
}

static tensor_use *find_uses(const tflite_model *model) {
    tensor_use *uses = x_alloc_array(model->tensor_count, sizeof *uses);
    mark(uses, model->inputs, model->input_count, false);
    mark(uses, model->outputs, model->output_count, false);
    for (uint32_t i = 0; i < model->operator_count; i++) {
        const tflite_operator *op = &model->operators[i];
        const bool is_float =
            op->output_count && op->outputs[0] >= 0 && model->tensors[op->outputs[0]].type == TFLITE_FLOAT32;
        mark(uses, op->inputs, op->input_count, is_float);
        mark(uses, op->outputs, op->output_count, false);
    }
    return uses;
}

static bool is_quantised(const tflite_tensor *record) {
    return record->quantization.count && record->type != TFLITE_INT32 && record->type != TFLITE_INT64;
}

/* Why a tensor that is not quantised cannot be taken, or NULL. */
static const char *type_refusal(const tflite_tensor *record, char *line, size_t size) {
    if (record->refusal) return record->refusal;
    switch (record->type) {
    case TFLITE_FLOAT32:
    case TFLITE_INT32:
    case TFLITE_INT64:
    case TFLITE_INT8:
    case TFLITE_UINT8:
    case TFLITE_BOOL: return NULL;
    case TFLITE_FLOAT16:
        if (record->data) return NULL;
        return "float16 is supported for weights only: let the model compute in float32";
    default: snprintf(line, size, "element type %s is not supported", tflite_type_name(record->type)); return line;
    }
}

typedef struct quantised_group {
    uint32_t count;
    const tflite_tensor *first;
} quantised_group;

static void report_quantised(tflite_context *ctx, const quantised_group *group, const char *what) {
    char line[240];
    if (!group->count) return;
    snprintf(line, sizeof line,
             "%s is quantised, as are %u more: %s, which comes with the quantised number type; export the model in "
             "float32 or with float16 weights",
             tflite_type_name(group->first->type), group->count - 1, what);
    import_issue(&ctx->issues, "tensor", group->first->name, line);
}

void tflite_refuse_types(tflite_context *ctx) {
    const tflite_model *model = ctx->model;
    tensor_use *uses = find_uses(model);
    quantised_group full = {0}, weights = {0};
    char line[96];
    for (uint32_t i = 0; i < model->tensor_count; i++) {
        const tflite_tensor *record = &model->tensors[i];
        if (!uses[i].used) continue;
        const char *reason = type_refusal(record, line, sizeof line);
        if (!reason && !is_quantised(record)) continue;
        ctx->values[i].kind = TFLITE_VALUE_REFUSED;
        quantised_group *group = record->data && uses[i].by_float ? &weights : &full;
        if (is_quantised(record) && group->count++ == 0) group->first = record;
        if (reason && !is_quantised(record)) import_issue(&ctx->issues, "tensor", record->name, reason);
    }
    free(uses);
    report_quantised(ctx, &full, "integer arithmetic");
    report_quantised(ctx, &weights, "integer weights of a float operator (dynamic range)");
}
