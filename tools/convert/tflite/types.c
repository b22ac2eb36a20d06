/* Which tensors have a type that this version cannot take, said in as few lines as there are reasons. */
#include <stdio.h>
#include <stdlib.h>

#include "convert/memory.h"
#include "convert/tflite/context.h"

static void mark(bool *used, const int32_t *tensors, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (tensors[i] >= 0) used[tensors[i]] = true;
}

/* Read or written at all. */
static bool *find_uses(const tflite_model *model) {
    bool *used = x_alloc_array(model->tensor_count, sizeof *used);
    mark(used, model->inputs, model->input_count);
    mark(used, model->outputs, model->output_count);
    for (uint32_t i = 0; i < model->operator_count; i++) {
        mark(used, model->operators[i].inputs, model->operators[i].input_count);
        mark(used, model->operators[i].outputs, model->operators[i].output_count);
    }
    return used;
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

/* Why a quantised tensor cannot be taken, or NULL. */
static const char *quantised_refusal(const tflite_tensor *record) {
    const tflite_quantization *q = &record->quantization;
    if (record->type == TFLITE_INT32 || record->type == TFLITE_INT64) return NULL; /* biases, where they are read so */
    if (!tflite_is_quantised(record)) return "is quantised: only int8 and uint8 are supported";
    if (!record->data && q->count > 1) return "has a scale for each channel, which is supported for constants only";
    return NULL;
}

typedef struct quantised_group {
    uint32_t count;
    const tflite_tensor *first;
} quantised_group;

/* One line for all tensors of a type: a model has hundreds. */
static void report_quantised(tflite_context *ctx, const quantised_group *group, const char *what) {
    char line[240];
    snprintf(line, sizeof line,
             "%s %s (so are %u more tensors); export the model in int8, float32 or with float16 weights",
             tflite_type_name(group->first->type), what, group->count - 1);
    import_issue(&ctx->issues, "tensor", group->first->name, line);
}

void tflite_refuse_types(tflite_context *ctx) {
    const tflite_model *model = ctx->model;
    bool *used = find_uses(model);
    quantised_group refused = {0};
    const char *why = NULL;
    char line[96];
    for (uint32_t i = 0; i < model->tensor_count; i++) {
        const tflite_tensor *record = &model->tensors[i];
        if (!used[i]) continue;
        const char *quantised = record->quantization.count && !record->refusal ? quantised_refusal(record) : NULL;
        const char *plain =
            record->quantization.count && !record->refusal ? NULL : type_refusal(record, line, sizeof line);
        if (!quantised && !plain) continue;
        ctx->values[i].kind = TFLITE_VALUE_REFUSED;
        if (plain) import_issue(&ctx->issues, "tensor", record->name, plain);
        if (!quantised || refused.count++) continue;
        refused.first = record;
        why = quantised;
    }
    free(used);
    if (refused.count) report_quantised(ctx, &refused, why);
}
