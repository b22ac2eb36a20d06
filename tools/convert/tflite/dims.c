#include "convert/tflite/dims.h"

#include <stdlib.h>
#include <string.h>

#include "convert/memory.h"
#include "convert/vary.h"

static const tflite_tensor *input_record(const tflite_model *model, uint32_t input) {
    return &model->tensors[model->inputs[input]];
}

static tmc_status check_names(const tflite_model *model, const tflite_import_options *options, tmc_error *err) {
    for (size_t i = 0; i < options->shape_count; i++) {
        bool found = false;
        for (uint32_t k = 0; k < model->input_count; k++)
            found = found || strcmp(options->shapes[i].name, input_record(model, k)->name) == 0;
        if (!found) return tmc_fail(err, TMC_E_ARG, "the model has no input '%s'", options->shapes[i].name);
    }
    return TMC_OK;
}

static tmc_status override(const tflite_tensor *record, const import_shape *given, int32_t *dims, tmc_error *err) {
    if (given->rank != record->rank)
        return tmc_fail(err, TMC_E_SHAPE, "input '%s' has %d axes, %d were given", record->name, record->rank,
                        given->rank);
    for (int32_t i = 0; i < given->rank; i++) {
        if (given->dims[i] != record->dims[i] && !record->open[i])
            return tmc_fail(err, TMC_E_SHAPE, "input '%s': the model fixes axis %d at %d, %d was given", record->name,
                            i, record->dims[i], given->dims[i]);
        dims[i] = given->dims[i];
    }
    return TMC_OK;
}

/* ------------------------------------------------------------------------------------------------------- groups */

static void add_group(tflite_dims *dims, uint32_t input, uint32_t axis) {
    if (dims->group_count < TFLITE_MAX_GROUPS) dims->groups[dims->group_count] = (tflite_dim_group){input, axis};
    dims->group_count++;
}

static void find_groups(const tflite_model *model, tflite_dims *dims) {
    bool batch = false;
    for (uint32_t k = 0; k < model->input_count; k++) batch = batch || input_record(model, k)->open[0];
    if (batch) add_group(dims, UINT32_MAX, 0);
    for (uint32_t k = 0; k < model->input_count; k++)
        for (uint32_t axis = 1; axis < TMC_MAX_RANK; axis++)
            if (input_record(model, k)->open[axis]) add_group(dims, k, axis);
    if (dims->group_count > TFLITE_MAX_GROUPS) dims->group_count = 0;
}

static bool belongs(const tflite_model *model, const tflite_dim_group *group, uint32_t input) {
    return (group->input == UINT32_MAX || group->input == input) && input_record(model, input)->open[group->axis];
}

tflite_dims tflite_dims_trial(const tflite_model *model, const tflite_dims *dims, uint32_t mask) {
    tflite_dims trial = *dims;
    trial.of = x_memdup(dims->of, model->input_count * sizeof *dims->of);
    for (uint32_t g = 0; g < dims->group_count; g++)
        for (uint32_t k = 0; k < model->input_count; k++) {
            int32_t *dim = &trial.of[k][dims->groups[g].axis];
            if ((mask >> g & 1) && belongs(model, &dims->groups[g], k)) *dim = vary_trial_dim(*dim, (int32_t)g + 2);
        }
    return trial;
}

void tflite_dims_allow(const tflite_model *model, const tflite_dims *dims, uint32_t mask, ir_graph *graph) {
    for (uint32_t g = 0; g < dims->group_count; g++)
        for (uint32_t k = 0; k < model->input_count; k++)
            if ((mask >> g & 1) && belongs(model, &dims->groups[g], k))
                vary_allow(graph, graph->inputs[k], dims->groups[g].axis);
    vary_fit(graph);
}

/* ---------------------------------------------------------------------------------------------------------- all */

tmc_status tflite_dims_resolve(const tflite_model *model, const tflite_import_options *options, tflite_dims *dims,
                               tmc_error *err) {
    *dims = (tflite_dims){.of = x_alloc_array(model->input_count, sizeof *dims->of)};
    TMC_TRY(check_names(model, options, err));
    for (uint32_t k = 0; k < model->input_count; k++) {
        const tflite_tensor *record = input_record(model, k);
        const import_shape *given = import_find_shape(options->shapes, options->shape_count, record->name);
        memcpy(dims->of[k], record->dims, sizeof record->dims);
        if (given) TMC_TRY(override(record, given, dims->of[k], err));
    }
    find_groups(model, dims);
    return TMC_OK;
}

void tflite_dims_clear(tflite_dims *dims) {
    free(dims->of);
    memset(dims, 0, sizeof *dims);
}
