/* Runs ONNX's own operator tests (Debian's libonnx-testdata): each model is imported, converted, written, opened,
 * planned and run, and its outputs compared with the stored ones.
 *
 * usage: conformance FOLDER [NAME-PART]
 *
 * Every test that the importer refuses as unsupported is listed with its reason and counts as skipped; any other
 * failure counts as failed. Inputs that give shapes, axes, pads or scales are frozen to the test's values, because a
 * .tmc file has static shapes. The last line is "N passed, M failed, K skipped". */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/evaluate.h"
#include "convert/fold.h"
#include "convert/onnx/onnx_import.h"
#include "convert/onnx/tensor_proto.h"
#include "convert/passes.h"
#include "io/boundary.h"
#include "io/file.h"

enum { MAX_TENSORS = 32, PATH = 1024, FILE_LIMIT = 1 << 28 };

/* ONNX's backend test runner compares with these. */
static const double relative_tolerance = 1e-3, absolute_tolerance = 1e-7;

typedef struct {
    char name[128];
    Onnx__ModelProto *model;
    onnx_dense inputs[MAX_TENSORS], outputs[MAX_TENSORS];
    const char *input_names[MAX_TENSORS];
    size_t input_count, output_count;
    bool frozen[MAX_TENSORS];
} test_case;

/* Inputs that must be known at conversion: bit i is input i of the operator. */
static const struct {
    const char *op;
    unsigned mask;
} known_inputs[] = {
    {"Reshape", 2},         {"Expand", 2},         {"Tile", 2},         {"Slice", 30},          {"Pad", 14},
    {"Squeeze", 2},         {"Unsqueeze", 2},      {"Split", 2},        {"Resize", 14},         {"Upsample", 2},
    {"ReduceSum", 2},       {"ReduceMean", 2},     {"ReduceMax", 2},    {"ReduceMin", 2},       {"ReduceProd", 2},
    {"ReduceL1", 2},        {"ReduceL2", 2},       {"ReduceLogSum", 2}, {"ReduceLogSumExp", 2}, {"ReduceSumSquare", 2},
    {"ConstantOfShape", 1}, {"Range", 7},          {"Dropout", 6},      {"QuantizeLinear", 6},  {"DequantizeLinear", 6},
    {"QLinearConv", 510},   {"QLinearMatMul", 246}};

static tmc_status read_tensor(const char *path, onnx_dense *out, tmc_error *err) {
    uint8_t *bytes;
    size_t size;
    TMC_TRY(io_read_file(path, FILE_LIMIT, &bytes, &size, err));
    Onnx__TensorProto *proto = onnx__tensor_proto__unpack(NULL, size, bytes);
    free(bytes);
    if (!proto) return tmc_fail(err, TMC_E_UNSUPPORTED, "test data are not a tensor (a sequence or optional type)");
    tmc_status status = onnx_dense_read(proto, NULL, out, err);
    onnx__tensor_proto__free_unpacked(proto, NULL);
    return status;
}

static bool is_initializer(const Onnx__GraphProto *graph, const char *name) {
    for (size_t i = 0; i < graph->n_initializer; i++)
        if (graph->initializer[i]->name && strcmp(graph->initializer[i]->name, name) == 0) return true;
    return false;
}

static bool must_be_known(const Onnx__GraphProto *graph, const char *name) {
    for (size_t n = 0; n < graph->n_node; n++) {
        const Onnx__NodeProto *node = graph->node[n];
        for (size_t i = 0; i < sizeof known_inputs / sizeof *known_inputs; i++) {
            if (strcmp(node->op_type, known_inputs[i].op)) continue;
            for (size_t k = 0; k < node->n_input; k++)
                if ((known_inputs[i].mask >> k & 1) && strcmp(node->input[k], name) == 0) return true;
        }
    }
    return false;
}

static tmc_status check_type(const Onnx__ValueInfoProto *value, tmc_error *err) {
    if (value->type && value->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
        return tmc_fail(err, TMC_E_UNSUPPORTED, "%s is a sequence, optional or map, not a tensor", value->name);
    return TMC_OK;
}

static tmc_status check_elements(const test_case *test, size_t index, tmc_error *err) {
    if (test->inputs[index].bytes || test->frozen[index]) return TMC_OK;
    return tmc_fail(err, TMC_E_UNSUPPORTED, "input %s has no elements; a .tmc file's tensors have some",
                    test->input_names[index]);
}

static tmc_status load_case(const char *folder, test_case *test, tmc_error *err) {
    char path[PATH];
    uint8_t *bytes;
    size_t size;
    snprintf(path, sizeof path, "%s/%s/model.onnx", folder, test->name);
    TMC_TRY(io_read_file(path, FILE_LIMIT, &bytes, &size, err));
    test->model = onnx__model_proto__unpack(NULL, size, bytes);
    free(bytes);
    if (!test->model || !test->model->graph) return tmc_fail(err, TMC_E_FORMAT, "model.onnx cannot be unpacked");
    const Onnx__GraphProto *graph = test->model->graph;
    if (graph->n_input > MAX_TENSORS || graph->n_output > MAX_TENSORS)
        return tmc_fail(err, TMC_E_LIMIT, "more than %d inputs or outputs", MAX_TENSORS);
    for (size_t i = 0; i < graph->n_input; i++) {
        if (is_initializer(graph, graph->input[i]->name)) continue;
        TMC_TRY(check_type(graph->input[i], err));
        snprintf(path, sizeof path, "%s/%s/test_data_set_0/input_%zu.pb", folder, test->name, test->input_count);
        test->input_names[test->input_count] = graph->input[i]->name;
        test->frozen[test->input_count] = must_be_known(graph, graph->input[i]->name);
        TMC_TRY(read_tensor(path, &test->inputs[test->input_count], err));
        TMC_TRY(check_elements(test, test->input_count++, err));
    }
    for (size_t i = 0; i < graph->n_output; i++) {
        TMC_TRY(check_type(graph->output[i], err));
        snprintf(path, sizeof path, "%s/%s/test_data_set_0/output_%zu.pb", folder, test->name, i);
        TMC_TRY(read_tensor(path, &test->outputs[test->output_count++], err));
    }
    return TMC_OK;
}

static void free_case(test_case *test) {
    for (size_t i = 0; i < MAX_TENSORS; i++) {
        onnx_dense_clear(&test->inputs[i]);
        onnx_dense_clear(&test->outputs[i]);
    }
    if (test->model) onnx__model_proto__free_unpacked(test->model, NULL);
}

static bool close_enough(float got, float want) {
    if (isnan(want)) return isnan(got);
    if (isinf(want) || isinf(got)) return got == want;
    return fabs((double)got - (double)want) <= absolute_tolerance + relative_tolerance * fabs((double)want);
}

/* uint8 with a scale is int8 in a .tmc file, moved by 128. */
static bool is_moved(const onnx_dense *source, const tmc_tensor_info *info) {
    return source->desc.dtype == TMC_U8 && info->dtype == TMC_I8;
}

static void move_by_128(uint8_t *data, size_t count) {
    for (size_t i = 0; i < count; i++) data[i] ^= 0x80;
}

static tmc_status compare(const onnx_dense *want, const tmc_tensor_info *info, const void *inner, tmc_error *err) {
    int32_t dims[TMC_MAX_RANK] = {0};
    boundary_dims_to_source(info->layout, info->rank, info->dims, dims);
    if (info->dtype != want->desc.dtype && !is_moved(want, info))
        return tmc_fail(err, TMC_E_DTYPE, "output %s is %s, expected %s", info->name, tmc_dtype_name(info->dtype),
                        tmc_dtype_name(want->desc.dtype));
    if (info->rank != want->desc.rank || memcmp(dims, want->desc.dims, sizeof dims))
        return tmc_fail(err, TMC_E_SHAPE, "output %s has another shape", info->name);
    uint8_t *data = malloc(info->bytes);
    if (!data) return tmc_fail(err, TMC_E_NOMEM, "out of memory");
    boundary_data_to_source(info, inner, data);
    if (is_moved(want, info)) move_by_128(data, info->bytes);
    size_t count = info->bytes / tmc_dtype_size(info->dtype), bad = count;
    if (info->dtype == TMC_F32) {
        for (size_t i = 0; i < count && bad == count; i++)
            if (!close_enough(((float *)(void *)data)[i], ((const float *)want->data)[i])) bad = i;
    } else if (memcmp(data, want->data, info->bytes)) {
        bad = 0;
    }
    tmc_status status = TMC_OK;
    if (bad < count) {
        char text[128] = "";
        if (info->dtype == TMC_F32)
            snprintf(text, sizeof text, ": %.9g, expected %.9g", (double)((float *)(void *)data)[bad],
                     (double)((const float *)want->data)[bad]);
        status = tmc_fail(err, TMC_E_INTEGRITY, "output %s differs at element %zu%s", info->name, bad, text);
    }
    free(data);
    return status;
}

/* A file needs an input. A graph without one computes constants: its nodes are folded, and there is nothing to run. */
static tmc_status fold_all(ir_graph *graph, tmc_error *err) {
    for (uint32_t i = 0; i < graph->output_count; i++) graph->tensors[graph->outputs[i]].is_output = false;
    for (uint32_t i = 0; i < graph->node_count; i++) TMC_TRY(ir_fold_node(graph, i, err));
    return TMC_OK;
}

static bool all_constant(const ir_graph *graph) {
    for (uint32_t i = 0; i < graph->output_count; i++)
        if (!ir_is_constant(graph, graph->outputs[i])) return false;
    return true;
}

static tmc_status compare_constants(const test_case *test, const ir_graph *graph, tmc_error *err) {
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const ir_tensor *tensor = &graph->tensors[graph->outputs[i]];
        tmc_tensor_info info = {.name = tensor->name, .dtype = tensor->desc.dtype, .rank = tensor->desc.rank};
        memcpy(info.dims, tensor->desc.dims, sizeof info.dims);
        info.bytes = tensor->data_bytes;
        TMC_TRY(compare(&test->outputs[i], &info, tensor->data, err));
    }
    return TMC_OK;
}

/* *bytes stays NULL where the outputs were constants and have been compared. */
static tmc_status convert(const char *folder, const test_case *test, uint8_t **bytes, size_t *size, tmc_error *err) {
    char path[PATH];
    onnx_frozen_input frozen[MAX_TENSORS];
    import_shape shapes[MAX_TENSORS];
    onnx_import_options options = {.frozen = frozen, .shapes = shapes};
    ir_graph *graph;
    for (size_t i = 0; i < test->input_count; i++) {
        const onnx_dense *value = &test->inputs[i];
        if (test->frozen[i]) {
            frozen[options.frozen_count++] = (onnx_frozen_input){test->input_names[i], value->desc, value->data};
        } else {
            import_shape *shape = &shapes[options.shape_count++];
            *shape = (import_shape){.name = test->input_names[i], .rank = value->desc.rank};
            memcpy(shape->dims, value->desc.dims, sizeof shape->dims);
        }
    }
    snprintf(path, sizeof path, "%s/%s/model.onnx", folder, test->name);
    TMC_TRY(onnx_import_file(path, &options, &graph, err));
    tmc_status status = passes_run(graph, NULL, err);
    if (!status && !graph->input_count) status = fold_all(graph, err);
    if (!status)
        status = all_constant(graph) ? compare_constants(test, graph, err) : ir_write(graph, 0, bytes, size, err);
    ir_graph_free(graph);
    return status;
}

static tmc_status set_inputs(const test_case *test, evaluation *e, tmc_error *err) {
    uint32_t index = 0;
    for (size_t i = 0; i < test->input_count; i++) {
        if (test->frozen[i]) continue;
        tmc_tensor_info info = evaluation_input(e, index);
        void *inner = malloc(info.bytes);
        if (!inner) return tmc_fail(err, TMC_E_NOMEM, "out of memory");
        tmc_status status = TMC_OK;
        if (info.bytes != test->inputs[i].bytes) {
            status = tmc_fail(err, TMC_E_SHAPE, "input %s has another size", info.name);
        } else {
            boundary_data_from_source(&info, test->inputs[i].data, inner);
            if (is_moved(&test->inputs[i], &info)) move_by_128(inner, info.bytes);
            status = evaluation_set(e, index, inner, info.bytes, err);
        }
        free(inner);
        TMC_TRY(status);
        index++;
    }
    return TMC_OK;
}

static tmc_status run_case(const test_case *test, const uint8_t *bytes, size_t size, tmc_error *err) {
    evaluation e;
    tmc_status status = evaluation_open(&e, bytes, size, err);
    if (!status) status = set_inputs(test, &e, err);
    if (!status) status = evaluation_run(&e, err);
    for (size_t i = 0; i < test->output_count && !status; i++) {
        tmc_tensor_info info = evaluation_output(&e, (uint32_t)i);
        void *data = NULL;
        size_t n;
        status = evaluation_get(&e, (uint32_t)i, &data, &n, err);
        if (!status) status = compare(&test->outputs[i], &info, data, err);
        free(data);
    }
    evaluation_release(&e);
    return status;
}

/* TMC_OK passed; E_UNSUPPORTED or E_VERSION before the run: out of scope; anything else: failed. */
static tmc_status try_case(const char *folder, const char *name, bool *refused, tmc_error *err) {
    test_case test = {.input_count = 0};
    uint8_t *bytes = NULL;
    size_t size = 0;
    snprintf(test.name, sizeof test.name, "%s", name);
    tmc_status status = load_case(folder, &test, err);
    if (!status) status = convert(folder, &test, &bytes, &size, err);
    *refused = status == TMC_E_UNSUPPORTED || status == TMC_E_VERSION;
    if (!status && bytes) status = run_case(&test, bytes, size, err);
    free(bytes);
    free_case(&test);
    return status;
}

static int is_test(const struct dirent *entry) { return strncmp(entry->d_name, "test_", 5) == 0; }

int main(int argc, char **argv) {
    struct dirent **entries;
    int passed = 0, failed = 0, skipped = 0;
    if (argc < 2 || argc > 3) {
        fputs("usage: conformance FOLDER [NAME-PART]\n", stderr);
        return 2;
    }
    int count = scandir(argv[1], &entries, is_test, alphasort);
    if (count < 0) {
        printf("SKIPPED: no ONNX test data in %s (install libonnx-testdata)\n", argv[1]);
        return 0;
    }
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        tmc_error err;
        bool refused = false;
        tmc_error_init(&err);
        if (argc == 3 && !strstr(name, argv[2])) {
            free(entries[i]);
            continue;
        }
        if (try_case(argv[1], name, &refused, &err) == TMC_OK) {
            passed++;
        } else if (refused) {
            skipped++;
            printf("SKIP  %s: %s\n", name, err.message);
        } else {
            failed++;
            printf("FAIL  %s: %s [%s]\n", name, err.message, tmc_status_name(err.status));
        }
        free(entries[i]);
    }
    free(entries);
    printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed ? 1 : 0;
}
