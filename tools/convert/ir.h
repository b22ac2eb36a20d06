/* The converter's graph: operators and layouts of a .tmc file (src/graph/op.h), but mutable and with dense constants.
 * Every importer lowers its nodes to these operators at once (an NCHW convolution becomes transpose, conv, transpose),
 * so the graph can be written and run after every pass, and a pass is tested by running the graph before and after. */
#ifndef TMC_CONVERT_IR_H
#define TMC_CONVERT_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "graph/infer.h"
#include "graph/op.h"
#include "graph/tensor.h"

typedef uint32_t ir_id; /* index of a tensor or node; stable, removed entries are marked dead */
#define IR_NONE UINT32_MAX

typedef struct ir_tensor {
    char *name;           /* of the source model, or made up; unique */
    tmc_tensor_desc desc; /* dense; packing TMC_PACK_NONE until ir_pack_weights */
    void *data;           /* constants: owned bytes; else NULL */
    size_t data_bytes;
    float *scales; /* weights with desc.quantization.channels: owned, one for each output channel; else NULL */
    uint32_t scale_count;
    struct ir_integers *integers; /* what an f32 constant was made of: integers.h; owned, or NULL */
    bool is_input, is_output, dead;
    uint8_t layout;                 /* tmc_layout, of inputs and outputs */
    int32_t dims_max[TMC_MAX_RANK]; /* inputs; 0 as in desc */
    tmc_tensor_desc alt; /* the shape at other input dims where the graph is `dynamic`, else as desc: a dim is fixed
                          * only if both agree, and a pass may build on fixed dims only */
    ir_id producer;      /* node, or IR_NONE */
    ir_id *users;        /* nodes that read it, once per input slot, in no order; kept by the functions below */
    uint32_t user_count, user_capacity;
} ir_tensor;

typedef struct ir_node {
    char *name;
    uint16_t op;
    bool dead;
    uint32_t input_count, output_count;
    ir_id *inputs, *outputs; /* IR_NONE: absent optional input */
    void *params;            /* the operator's parameter struct, owned, param_words * 4 bytes */
} ir_node;

typedef struct ir_metadata {
    char *key, *value;
} ir_metadata;

typedef struct ir_graph {
    char *name;
    ir_tensor *tensors;
    uint32_t tensor_count, tensor_capacity;
    ir_node *nodes; /* in an order that can be run */
    uint32_t node_count, node_capacity;
    ir_id *inputs, *outputs; /* the model's, in the source's order */
    uint32_t input_count, output_count;
    ir_metadata *metadata;
    uint32_t metadata_count;
    ir_id *name_table; /* open addressing over tensor names; a power of two, IR_NONE is free */
    uint32_t name_capacity;
    uint32_t made_up; /* counter of made-up names */
    bool dynamic;     /* inputs may have other dims: `alt` holds; see pass_check_dynamic */
} ir_graph;

/* Memory: tools stop with a message and exit status 3 when malloc fails (tools/convert/memory.c); the graph functions
 * therefore never return NULL. */
ir_graph *ir_graph_new(const char *name);
void ir_graph_free(ir_graph *graph);

/* Adds a tensor (made unique if the name is taken, made up if NULL). ir_constant copies `bytes` of dense data. */
ir_id ir_add_tensor(ir_graph *graph, const char *name, const tmc_tensor_desc *desc);
ir_id ir_add_constant(ir_graph *graph, const char *name, const tmc_tensor_desc *desc, const void *data);
ir_id ir_find_tensor(const ir_graph *graph, const char *name); /* IR_NONE */
/* Writes the quantisation of desc and alt. `scales`: copied, one for each of quantization->channels (0: NULL). */
void ir_set_quantization(ir_graph *graph, ir_id tensor, const tmc_quantization *quantization, const float *scales);
/* Makes a tensor the model's next input (a tensor without producer and data) or output; sets is_input, is_output. */
void ir_add_input(ir_graph *graph, ir_id tensor);
void ir_add_output(ir_graph *graph, ir_id tensor);

/* Appends a node, infers and creates its `output_count` outputs (ids into outputs[]). `params` is copied.
 * Errors: as tmc_infer; the graph is unchanged then. */
tmc_status ir_add_node(ir_graph *graph, const char *name, uint16_t op, const void *params, const ir_id *inputs,
                       uint32_t input_count, ir_id *outputs, uint32_t output_count, tmc_error *err);
/* The same for an operator that makes i8 numbers: `quantization` of each output. */
tmc_status ir_add_quantized_node(ir_graph *graph, const char *name, uint16_t op, const void *params,
                                 const ir_id *inputs, uint32_t input_count, const tmc_quantization *quantization,
                                 ir_id *outputs, uint32_t output_count, tmc_error *err);

void ir_add_metadata(ir_graph *graph, const char *key, const char *value);

/* Replaces every use of `from` (node inputs and graph outputs) by `to`. Where `from` is a model output, `to` takes over
 * its name and layout, because the caller of the model knows the tensor by them. */
void ir_replace_uses(ir_graph *graph, ir_id from, ir_id to);
/* False where the replacement would make a model output of an input, a constant or another output: a file has none. */
bool ir_can_replace(const ir_graph *graph, ir_id from, ir_id to);
/* Changes one input of a node (IR_NONE: absent). Nodes' inputs are changed by this function only: it keeps `users`. */
void ir_set_input(ir_graph *graph, ir_id node, uint32_t slot, ir_id tensor);
/* Appends one input, or drops the last ones so that `count` remain. */
void ir_append_input(ir_graph *graph, ir_id node, ir_id tensor);
void ir_truncate_inputs(ir_graph *graph, ir_id node, uint32_t count);
/* Marks a node and its outputs dead; it reads nothing more. Replace the uses of its outputs before. */
void ir_kill_node(ir_graph *graph, ir_id node);
/* Input slots that read a tensor; a graph output counts as one more. */
uint32_t ir_use_count(const ir_graph *graph, ir_id tensor);
bool ir_is_constant(const ir_graph *graph, ir_id tensor);

/* Infers all shapes again, in order; used after a pass. A dynamic graph whose `alt` shapes no longer fit is made static
 * (ir_make_static); the result is about `desc` only. */
tmc_status ir_infer_all(ir_graph *graph, tmc_error *err);
/* The same on a table of `tensor_count` descriptions of the caller's, where inputs and constants are set. */
tmc_status ir_infer_descs(const ir_graph *graph, tmc_tensor_desc *descs, tmc_error *err);
/* Takes back the promise that inputs may have other dims: dims_max = dims, alt = desc, dynamic = false. */
void ir_make_static(ir_graph *graph);
/* Drops dead tensors and nodes, keeps the order; ids change. Sorts nodes topologically. */
void ir_compact(ir_graph *graph);

/* Writes the graph as .tmc bytes (malloc'd) with checksum and digest. Packs nothing: see pass_pack_weights. Tensors
 * that nothing reads are left out; nodes must be in an order that can be run. Errors: E_LIMIT, E_GRAPH. */
tmc_status ir_write(const ir_graph *graph, uint32_t revision, uint8_t **bytes, size_t *size, tmc_error *err);
/* The same with a self-test of each output (seed 1), made by running the model once. No test for an output with a NaN,
 * and none where the run refuses the filled inputs as indices out of range. Errors: also those of opening and running
 * the model, which is thereby verified. */
tmc_status ir_write_with_selftest(const ir_graph *graph, uint32_t revision, uint8_t **bytes, size_t *size,
                                  tmc_error *err);

#endif
