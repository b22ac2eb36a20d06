/* Imports of small models whose shapes depend on the input, and of every model of ONNX's own test data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>

#include <cmocka.h>

#include "convert/onnx/onnx_import.h"
#include "onnx/onnx.pb-c.h"

/* y = Reshape(x [N,2,3,W], target), where the target is computed by up to five nodes. */
typedef struct model {
    Onnx__ModelProto model;
    Onnx__OperatorSetIdProto opset, *opsets[1];
    Onnx__GraphProto graph;
    Onnx__NodeProto nodes[8], *node_list[8];
    char *inputs[8][3], *outputs[8][1];
    Onnx__AttributeProto axis[8], *axis_list[8];
    Onnx__TensorProto tensors[8], *tensor_list[8];
    int64_t dims[8], values[8][4];
    Onnx__ValueInfoProto x, y, *x_list[1], *y_list[1];
    Onnx__TypeProto type;
    Onnx__TypeProto__Tensor tensor_type;
    Onnx__TensorShapeProto shape;
    Onnx__TensorShapeProto__Dimension dim[4], *dim_list[4];
} model;

static void init_model(model *m, const char *const symbols[4], const int64_t dims[4]) {
    memset(m, 0, sizeof *m);
    onnx__model_proto__init(&m->model);
    onnx__graph_proto__init(&m->graph);
    onnx__operator_set_id_proto__init(&m->opset);
    onnx__value_info_proto__init(&m->x);
    onnx__value_info_proto__init(&m->y);
    onnx__type_proto__init(&m->type);
    onnx__type_proto__tensor__init(&m->tensor_type);
    onnx__tensor_shape_proto__init(&m->shape);
    for (int i = 0; i < 4; i++) {
        onnx__tensor_shape_proto__dimension__init(&m->dim[i]);
        m->dim_list[i] = &m->dim[i];
        if (symbols[i]) {
            m->dim[i].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
            m->dim[i].dim_param = (char *)symbols[i];
        } else {
            m->dim[i].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
            m->dim[i].dim_value = dims[i];
        }
    }
    m->shape.dim = m->dim_list;
    m->shape.n_dim = 4;
    m->tensor_type.has_elem_type = 1;
    m->tensor_type.elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    m->tensor_type.shape = &m->shape;
    m->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    m->type.tensor_type = &m->tensor_type;
    m->x.name = "x";
    m->x.type = &m->type;
    m->y.name = "y";
    m->x_list[0] = &m->x;
    m->y_list[0] = &m->y;
    m->opset.has_version = 1;
    m->opset.version = 13;
    m->opsets[0] = &m->opset;
    m->model.has_ir_version = 1;
    m->model.ir_version = 8;
    m->model.opset_import = m->opsets;
    m->model.n_opset_import = 1;
    m->model.graph = &m->graph;
    m->graph.input = m->x_list;
    m->graph.n_input = 1;
    m->graph.output = m->y_list;
    m->graph.n_output = 1;
    m->graph.node = m->node_list;
    m->graph.initializer = m->tensor_list;
}

static void add_node(model *m, const char *op, const char *output, const char *a, const char *b, int64_t axis) {
    size_t i = m->graph.n_node++;
    Onnx__NodeProto *node = &m->nodes[i];
    onnx__node_proto__init(node);
    m->node_list[i] = node;
    node->op_type = (char *)op;
    node->input = m->inputs[i];
    node->output = m->outputs[i];
    node->n_output = 1;
    m->outputs[i][0] = (char *)output;
    m->inputs[i][node->n_input++] = (char *)a;
    if (b) m->inputs[i][node->n_input++] = (char *)b;
    if (axis < 0) return;
    onnx__attribute_proto__init(&m->axis[i]);
    m->axis_list[i] = &m->axis[i];
    m->axis[i].name = "axis";
    m->axis[i].has_type = 1;
    m->axis[i].type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
    m->axis[i].has_i = 1;
    m->axis[i].i = axis;
    node->attribute = &m->axis_list[i];
    node->n_attribute = 1;
}

static void add_ints(model *m, const char *name, size_t count, const int64_t *values) {
    size_t i = m->graph.n_initializer++;
    Onnx__TensorProto *t = &m->tensors[i];
    onnx__tensor_proto__init(t);
    m->tensor_list[i] = t;
    m->dims[i] = (int64_t)count;
    memcpy(m->values[i], values, count * sizeof *values);
    t->name = (char *)name;
    t->has_data_type = 1;
    t->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
    t->dims = &m->dims[i];
    t->n_dims = 1;
    t->int64_data = m->values[i];
    t->n_int64_data = count;
}

static ir_graph *import(const model *m, const onnx_import_options *options) {
    size_t size = onnx__model_proto__get_packed_size(&m->model);
    uint8_t *bytes = malloc(size);
    ir_graph *graph = NULL;
    tmc_error err;
    tmc_error_init(&err);
    assert_non_null(bytes);
    onnx__model_proto__pack(&m->model, bytes);
    if (onnx_import_memory(bytes, size, NULL, options, &graph, &err) != TMC_OK) fail_msg("%s", err.message);
    free(bytes);
    return graph;
}

static const ir_tensor *input_of(const ir_graph *graph) { return &graph->tensors[graph->inputs[0]]; }

static const ir_node *only_node(const ir_graph *graph) {
    assert_int_equal(graph->node_count, 1);
    return &graph->nodes[0];
}

static const char *const batch_symbol[4] = {"N"};
static const int64_t small_dims[4] = {1, 2, 3, 4};

/* x.view(x.size(0), -1), as exporters write it. */
static void test_batch_from_shape_stays_free(void **state) {
    (void)state;
    model m;
    init_model(&m, batch_symbol, small_dims);
    add_ints(&m, "zero", 1, (int64_t[]){0});
    add_ints(&m, "rest", 1, (int64_t[]){-1});
    add_node(&m, "Shape", "s", "x", NULL, -1);
    add_node(&m, "Gather", "n", "s", "zero", 0);
    add_node(&m, "Concat", "target", "n", "rest", 0);
    add_node(&m, "Reshape", "y", "x", "target", -1);
    ir_graph *graph = import(&m, NULL);
    const tmc_shape_params *params = only_node(graph)->params;
    assert_int_equal(only_node(graph)->op, TMC_OP_RESHAPE);
    assert_int_equal(params->rank, 2);
    assert_int_equal(params->dims[0], 0);
    assert_int_equal(params->dims[1], -1);
    assert_int_equal(input_of(graph)->dims_max[0], 65536);
    assert_int_equal(graph->tensors[graph->outputs[0]].desc.dims[1], 24);
    assert_string_equal(graph->tensors[graph->outputs[0]].name, "y");
    ir_graph_free(graph);
}

/* The same numbers, stated: true for a batch of 1 only. */
static void test_literal_batch_is_fixed(void **state) {
    (void)state;
    model m;
    init_model(&m, batch_symbol, small_dims);
    add_ints(&m, "target", 2, (int64_t[]){1, 24});
    add_node(&m, "Reshape", "y", "x", "target", -1);
    ir_graph *graph = import(&m, NULL);
    assert_int_equal(((const tmc_shape_params *)only_node(graph)->params)->dims[0], 1);
    assert_int_equal(input_of(graph)->dims_max[0], 0);
    ir_graph_free(graph);
}

/* At a square image the height that the model puts where the width was looks like the width: only the second import
 * at another shape shows that it is not. */
static void test_swapped_axes_are_fixed(void **state) {
    (void)state;
    static const char *const symbols[4] = {NULL, NULL, "H", "W"};
    static const int64_t dims[4] = {1, 2, 0, 0};
    import_shape shape = {"x", 4, {1, 2, 8, 8}};
    onnx_import_options options = {.shapes = &shape, .shape_count = 1};
    model m;
    init_model(&m, symbols, dims);
    add_ints(&m, "order", 4, (int64_t[]){0, 1, 3, 2});
    add_node(&m, "Shape", "s", "x", NULL, -1);
    add_node(&m, "Gather", "target", "s", "order", 0);
    add_node(&m, "Reshape", "y", "x", "target", -1);
    ir_graph *graph = import(&m, &options);
    assert_int_equal(input_of(graph)->dims_max[2], 0);
    assert_int_equal(input_of(graph)->dims_max[3], 0);
    ir_graph_free(graph);
}

static void test_frozen_input(void **state) {
    (void)state;
    model m;
    float data[24];
    for (int i = 0; i < 24; i++) data[i] = (float)i;
    onnx_frozen_input frozen = {"x", {.dtype = TMC_F32, .rank = 4, .dims = {1, 2, 3, 4}}, data};
    onnx_import_options options = {.frozen = &frozen, .frozen_count = 1};
    init_model(&m, batch_symbol, small_dims);
    add_node(&m, "Transpose", "t", "x", NULL, -1);
    add_node(&m, "Identity", "y", "t", NULL, -1);
    ir_graph *graph = import(&m, &options);
    assert_int_equal(graph->input_count, 0);
    const ir_node *copy = only_node(graph); /* an output is written by a node */
    const float *moved = graph->tensors[copy->inputs[0]].data;
    assert_non_null(moved);
    for (int w = 0; w < 4; w++)
        for (int h = 0; h < 3; h++)
            for (int c = 0; c < 2; c++) assert_true(moved[(w * 3 + h) * 2 + c] == data[(c * 3 + h) * 4 + w]);
    ir_graph_free(graph);
}

/* Each model of the folder imports or is refused with a reason; the numbers are of libonnx-testdata 1.12. */
static void test_onnx_test_data(void **state) {
    (void)state;
    static const char folder[] = "/usr/share/libonnx-testdata/data/node";
    DIR *dir = opendir(folder);
    int imported = 0, refused = 0;
    if (!dir) {
        print_message("libonnx-testdata is not installed\n");
        skip();
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[512];
        ir_graph *graph;
        tmc_error err;
        if (strncmp(entry->d_name, "test_", 5) != 0) continue;
        snprintf(path, sizeof path, "%s/%s/model.onnx", folder, entry->d_name);
        tmc_error_init(&err);
        tmc_status status = onnx_import_file(path, NULL, &graph, &err);
        assert_int_equal(status == TMC_OK, graph != NULL);
        if (status == TMC_OK)
            imported++;
        else if (err.message[0] && status != TMC_E_INTERNAL && status != TMC_E_IO)
            refused++;
        else
            fail_msg("%s: %s %s", path, tmc_status_name(status), err.message);
        ir_graph_free(graph);
    }
    closedir(dir);
    print_message("%d imported, %d refused\n", imported, refused);
    assert_true(imported >= 380);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch_from_shape_stays_free),
        cmocka_unit_test(test_literal_batch_is_fixed),
        cmocka_unit_test(test_swapped_axes_are_fixed),
        cmocka_unit_test(test_frozen_input),
        cmocka_unit_test(test_onnx_test_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
