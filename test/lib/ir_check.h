/* For tests of the converter: builds graphs in few words, and compares what two versions of a graph compute.
 * A step that fails ends the test with the error's message. */
#ifndef TMC_TEST_IR_CHECK_H
#define TMC_TEST_IR_CHECK_H

#include "convert/ir.h"
#include "convert/passes.h"

/* f32 unless said otherwise. A dims list is ended by 0. Constants are random in [lo, hi), another for each. */
#define DIMS(...) ((const int32_t[]){__VA_ARGS__, 0})
ir_id make_input(ir_graph *g, const char *name, const int32_t *dims);
ir_id make_random(ir_graph *g, const int32_t *dims, float lo, float hi);
ir_id make_scalar(ir_graph *g, float value);
ir_id make_floats(ir_graph *g, const int32_t *dims, const float *data);

/* Nodes; each returns its (first) output. */
ir_id make_node(ir_graph *g, uint16_t op, const void *params, ir_id a, ir_id b, ir_id c);
ir_id make_unary(ir_graph *g, int32_t kind, ir_id x);
ir_id make_clamp(ir_graph *g, ir_id x, float lo, float hi);
ir_id make_relu(ir_graph *g, ir_id x);
ir_id make_binary(ir_graph *g, int32_t kind, ir_id a, ir_id b);
ir_id make_transpose(ir_graph *g, ir_id x, const int32_t *perm); /* perm of x's rank */
ir_id make_reshape(ir_graph *g, ir_id x, const int32_t *dims);
ir_id make_concat(ir_graph *g, int32_t axis, ir_id a, ir_id b);

/* As the importer lowers channels-first operators: transposition, operator, transposition back. x [N,C,H,W]. */
ir_id make_last(ir_graph *g, ir_id x);
ir_id make_first(ir_graph *g, ir_id x);
ir_id make_conv(ir_graph *g, ir_id x, int32_t channels, int32_t kernel, int32_t stride, int32_t pad, int32_t groups);
ir_id make_depthwise(ir_graph *g, ir_id x, int32_t kernel, int32_t stride, int32_t pad);
ir_id make_conv_transpose(ir_graph *g, ir_id x, int32_t channels, int32_t kernel, int32_t stride);
ir_id make_batch_norm(ir_graph *g, ir_id x);
ir_id make_max_pool(ir_graph *g, ir_id x, int32_t kernel, int32_t stride, int32_t pad);
ir_id make_global_pool(ir_graph *g, ir_id x);            /* reduce over H and W, kept */
ir_id make_dense(ir_graph *g, ir_id x, int32_t columns); /* x [N,K] */
/* Operators on channels-last x. */
tmc_conv_params conv_params(int32_t kernel, int32_t stride, int32_t pad, int32_t groups);

uint32_t count_nodes(const ir_graph *g, uint16_t op); /* 0: all */
const ir_node *find_node(const ir_graph *g, uint16_t op);

/* One pass as the pipeline applies it, and the whole pipeline; return the number of changes of the pass. */
uint32_t apply_pass(ir_graph *g, pass_fn pass);
void apply_all(ir_graph *g);

/* What the graph computes from random inputs, which are the same for every graph with the same inputs in the order of
 * the source model. Outputs in that order too. */
typedef struct ir_result {
    uint32_t count;
    void *data[8];
    size_t bytes[8];
    uint8_t dtype[8];
} ir_result;

ir_result run_graph(const ir_graph *g, uint64_t seed);
void free_result(ir_result *r);
/* Equal bits (tolerance 0), or |a - b| <= tolerance * the output's largest value. Frees both. */
void expect_same(ir_result before, ir_result after, double tolerance);

#endif
