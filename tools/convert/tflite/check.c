/* The model's graph: every index, every producer, the order. */
#include <stdlib.h>

#include "convert/memory.h"
#include "convert/tflite/model.h"

/* What a tensor is before anything has run. */
enum { FROM_NOTHING, FROM_FILE, FROM_OPERATOR };

static bool in_range(const tflite_model *model, int32_t tensor) {
    return tensor >= 0 && (uint32_t)tensor < model->tensor_count;
}

static tmc_status bad_index(const tflite_model *model, tmc_error *err, const char *field, int32_t tensor) {
    return tmc_fail_field(err, TMC_E_GRAPH, field, "tensor %d of %u", tensor, model->tensor_count);
}

static bool is_constant(const tflite_tensor *record) {
    if (record->data) return true;
    for (int32_t i = 0; i < record->rank; i++)
        if (record->dims[i] == 0) return true;
    return false;
}

static tmc_status check_inputs(const tflite_model *model, tmc_error *err, uint8_t *origin) {
    if (!model->input_count) return tmc_fail_field(err, TMC_E_GRAPH, "inputs", "the model has no inputs");
    for (uint32_t i = 0; i < model->input_count; i++) {
        const int32_t tensor = model->inputs[i];
        if (!in_range(model, tensor)) return bad_index(model, err, "inputs", tensor);
        if (origin[tensor] != FROM_NOTHING || model->tensors[tensor].data)
            return tmc_fail_field(err, TMC_E_GRAPH, "inputs", "tensor %d '%s' is listed twice or is a constant", tensor,
                                  model->tensors[tensor].name);
        origin[tensor] = FROM_FILE;
    }
    return TMC_OK;
}

static tmc_status check_operator(const tflite_model *model, tmc_error *err, const tflite_operator *op,
                                 uint8_t *origin) {
    for (uint32_t i = 0; i < op->input_count; i++) {
        const int32_t tensor = op->inputs[i];
        if (tensor == -1) continue;
        if (!in_range(model, tensor)) return bad_index(model, err, "inputs", tensor);
        if (origin[tensor] == FROM_NOTHING && !is_constant(&model->tensors[tensor]) && !model->tensors[tensor].refusal)
            return tmc_fail_field(err, TMC_E_GRAPH, "inputs", "tensor %d '%s' is read before anything writes it",
                                  tensor, model->tensors[tensor].name);
    }
    for (uint32_t i = 0; i < op->output_count; i++) {
        const int32_t tensor = op->outputs[i];
        if (!in_range(model, tensor)) return bad_index(model, err, "outputs", tensor);
        if (origin[tensor] != FROM_NOTHING || model->tensors[tensor].data)
            return tmc_fail_field(err, TMC_E_GRAPH, "outputs",
                                  "tensor %d '%s' is written twice, or is an input or a constant", tensor,
                                  model->tensors[tensor].name);
        origin[tensor] = FROM_OPERATOR;
    }
    return TMC_OK;
}

static tmc_status check_outputs(const tflite_model *model, tmc_error *err, const uint8_t *origin) {
    bool *seen = x_alloc_array(model->tensor_count, sizeof *seen);
    tmc_status status = TMC_OK;
    if (!model->output_count) status = tmc_fail_field(err, TMC_E_GRAPH, "outputs", "the model has no outputs");
    for (uint32_t i = 0; status == TMC_OK && i < model->output_count; i++) {
        const int32_t tensor = model->outputs[i];
        if (!in_range(model, tensor))
            status = bad_index(model, err, "outputs", tensor);
        else if (seen[tensor] || (origin[tensor] == FROM_NOTHING && !model->tensors[tensor].data))
            status = tmc_fail_field(err, TMC_E_GRAPH, "outputs", "tensor %d '%s' is listed twice, or nothing writes it",
                                    tensor, model->tensors[tensor].name);
        else
            seen[tensor] = true;
    }
    free(seen);
    return status;
}

tmc_status tflite_model_check(const tflite_model *model, tmc_error *err) {
    uint8_t *origin = x_alloc(model->tensor_count);
    tmc_status status = check_inputs(model, err, origin);
    for (uint32_t i = 0; status == TMC_OK && i < model->operator_count; i++) {
        status = check_operator(model, err, &model->operators[i], origin);
        if (status != TMC_OK) tmc_error_at_node(err, (int32_t)i);
    }
    if (status == TMC_OK) status = check_outputs(model, err, origin);
    free(origin);
    return status;
}
