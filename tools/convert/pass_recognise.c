/* Activations that an exporter wrote in parts, and matrix products with constant weights. */
#include <string.h>

#include "convert/pass_util.h"
#include "convert/passes.h"

#define MAX_FACTORS 4

/* scale * factor[0] * factor[1] ..., from a tree of multiplications and divisions by constants whose inner nodes have
 * one reader each: the order in which an exporter multiplies does not matter then. */
typedef struct product {
    double scale;
    ir_id factors[MAX_FACTORS];
    uint32_t count;
} product;

static const tmc_binary_params *plain_binary(const ir_graph *graph, ir_id tensor, ir_id *node) {
    *node = pass_producer(graph, tensor, TMC_OP_BINARY);
    if (*node == IR_NONE) return NULL;
    const tmc_binary_params *p = graph->nodes[*node].params;
    return pass_act_is_none(&p->act) ? p : NULL;
}

/* Replaces factor `at` by what it is made of; false if it is no product. */
static bool expand_factor(const ir_graph *graph, product *p, uint32_t at) {
    ir_id node;
    float value;
    const tmc_binary_params *binary = plain_binary(graph, p->factors[at], &node);
    if (!binary) return false;
    const ir_id a = graph->nodes[node].inputs[0], b = graph->nodes[node].inputs[1];
    if (binary->kind == TMC_BINARY_DIV && pass_scalar(graph, b, &value) && value != 0.0f) {
        p->scale /= value;
        p->factors[at] = a;
        return true;
    }
    if (binary->kind != TMC_BINARY_MUL) return false;
    if (pass_scalar(graph, b, &value) || pass_scalar(graph, a, &value)) {
        p->scale *= value;
        p->factors[at] = pass_scalar(graph, b, &value) ? a : b;
        return true;
    }
    if (p->count == MAX_FACTORS) return false;
    p->factors[at] = a;
    p->factors[p->count++] = b;
    return true;
}

static product product_of(const ir_graph *graph, ir_id tensor) {
    product p = {.scale = 1.0, .factors = {tensor}, .count = 1};
    expand_factor(graph, &p, 0);
    for (uint32_t i = 0; i < p.count; i++)
        while (pass_only_user(graph, p.factors[i]) != IR_NONE && expand_factor(graph, &p, i)) {
        }
    return p;
}

/* kind(x) of one unary node: its input, or IR_NONE. */
static ir_id unary_input(const ir_graph *graph, ir_id tensor, int32_t kind, const tmc_unary_params **params) {
    const ir_id node = pass_producer(graph, tensor, TMC_OP_UNARY);
    if (node == IR_NONE) return IR_NONE;
    const tmc_unary_params *p = graph->nodes[node].params;
    if (p->kind != kind) return IR_NONE;
    if (params) *params = p;
    return graph->nodes[node].inputs[0];
}

/* x of x + value, or IR_NONE. */
static ir_id plus(const ir_graph *graph, ir_id tensor, float value) {
    ir_id node;
    float c;
    const tmc_binary_params *p = plain_binary(graph, tensor, &node);
    if (!p || p->kind != TMC_BINARY_ADD) return IR_NONE;
    for (int i = 0; i < 2; i++)
        if (pass_scalar(graph, graph->nodes[node].inputs[i], &c) && pass_near(c, value))
            return graph->nodes[node].inputs[1 - i];
    return IR_NONE;
}

/* x of clamp(x + 3, 0, 6), or IR_NONE. */
static ir_id relu6_plus_3(const ir_graph *graph, ir_id tensor) {
    const tmc_unary_params *p = NULL;
    const ir_id sum = unary_input(graph, tensor, TMC_UNARY_CLAMP, &p);
    if (sum == IR_NONE || p->alpha != 0.0f || p->beta != 6.0f) return IR_NONE;
    return plus(graph, sum, 3.0f);
}

/* The product is scale * x only. */
static bool is_scaled(const product *p, double scale, ir_id x) {
    return p->count == 1 && p->factors[0] == x && pass_near(p->scale, scale);
}

/* `tensor` is x * x * x or x ^ 3, times `scale`. */
static bool is_cube(const ir_graph *graph, ir_id tensor, double scale, ir_id x) {
    const product p = product_of(graph, tensor);
    if (!pass_near(p.scale, scale)) return false;
    if (p.count == 3) return p.factors[0] == x && p.factors[1] == x && p.factors[2] == x;
    ir_id node;
    float exponent;
    const tmc_binary_params *power = p.count == 1 ? plain_binary(graph, p.factors[0], &node) : NULL;
    return power && power->kind == TMC_BINARY_POW && graph->nodes[node].inputs[0] == x &&
           pass_scalar(graph, graph->nodes[node].inputs[1], &exponent) && exponent == 3.0f;
}

/* tanh's argument in gelu's approximation: sqrt(2 / pi) * (x + 0.044715 x^3). */
static bool is_gelu_tanh_argument(const ir_graph *graph, ir_id tensor, ir_id x) {
    const product p = product_of(graph, tensor);
    ir_id node;
    if (p.count != 1 || !pass_near(p.scale, 0.79788456080286535588)) return false;
    const tmc_binary_params *sum = plain_binary(graph, p.factors[0], &node);
    if (!sum || sum->kind != TMC_BINARY_ADD) return false;
    const ir_id a = graph->nodes[node].inputs[0], b = graph->nodes[node].inputs[1];
    return (a == x && is_cube(graph, b, 0.044715, x)) || (b == x && is_cube(graph, a, 0.044715, x));
}

/* Which activation x * gate, times scale, is; 0: none. */
static int32_t gated_kind(const ir_graph *graph, double scale, ir_id x, ir_id gate) {
    const tmc_unary_params *p = NULL;
    if (pass_near(scale, 1.0)) {
        if (unary_input(graph, gate, TMC_UNARY_SIGMOID, NULL) == x) return TMC_UNARY_SILU;
        if (unary_input(graph, gate, TMC_UNARY_HARD_SIGMOID, &p) == x && pass_near(p->alpha, 1.0 / 6.0) &&
            pass_near(p->beta, 0.5))
            return TMC_UNARY_HARD_SWISH;
        const ir_id softplus = unary_input(graph, gate, TMC_UNARY_TANH, NULL);
        if (softplus != IR_NONE && unary_input(graph, softplus, TMC_UNARY_SOFTPLUS, NULL) == x) return TMC_UNARY_MISH;
    }
    if (pass_near(scale, 1.0 / 6.0) && relu6_plus_3(graph, gate) == x) return TMC_UNARY_HARD_SWISH;
    if (pass_near(scale, 0.5)) {
        const ir_id curve = plus(graph, gate, 1.0f);
        if (curve == IR_NONE) return 0;
        const ir_id erf = unary_input(graph, curve, TMC_UNARY_ERF, NULL);
        const ir_id tanh_argument = unary_input(graph, curve, TMC_UNARY_TANH, NULL);
        if (erf != IR_NONE) {
            const product argument = product_of(graph, erf);
            if (is_scaled(&argument, 0.70710678118654752440, x)) return TMC_UNARY_GELU;
        }
        if (tanh_argument != IR_NONE && is_gelu_tanh_argument(graph, tanh_argument, x)) return TMC_UNARY_GELU_TANH;
    }
    return 0;
}

static bool match_activation(const ir_graph *graph, ir_id output, ir_id *x, tmc_unary_params *params) {
    const product p = product_of(graph, output);
    *params = (tmc_unary_params){0};
    if (p.count == 2) {
        for (int i = 0; i < 2; i++) {
            *x = p.factors[i];
            params->kind = gated_kind(graph, p.scale, *x, p.factors[1 - i]);
            if (params->kind) return true;
        }
    }
    if (p.count == 1 && pass_near(p.scale, 1.0 / 6.0) && p.factors[0] != output) {
        *x = relu6_plus_3(graph, p.factors[0]);
        *params = (tmc_unary_params){TMC_UNARY_HARD_SIGMOID, 1.0f / 6.0f, 0.5f};
        return *x != IR_NONE;
    }
    return false;
}

/* max(x, c) and min(x, c) with a constant number are clamps, which other operators can take in. */
static bool match_clamp(const ir_graph *graph, const ir_node *node, ir_id *x, tmc_unary_params *params) {
    const tmc_binary_params *p = node->params;
    if ((p->kind != TMC_BINARY_MAX && p->kind != TMC_BINARY_MIN) || !pass_act_is_none(&p->act)) return false;
    for (int i = 0; i < 2; i++) {
        float c;
        if (!pass_scalar(graph, node->inputs[1 - i], &c) || isnan(c)) continue;
        *x = node->inputs[i];
        *params = (tmc_unary_params){TMC_UNARY_CLAMP, -INFINITY, INFINITY};
        if (p->kind == TMC_BINARY_MAX)
            params->alpha = c;
        else
            params->beta = c;
        return true;
    }
    return false;
}

tmc_status pass_recognise_activation(ir_graph *graph, uint32_t *changes, tmc_error *err) {
    const uint32_t count = graph->node_count;
    for (ir_id id = 0; id < count; id++) {
        const ir_node *node = &graph->nodes[id];
        if (node->dead || node->op != TMC_OP_BINARY) continue;
        const ir_id output = node->outputs[0];
        ir_id x;
        tmc_unary_params params;
        if (!match_activation(graph, output, &x, &params) && !match_clamp(graph, node, &x, &params)) continue;
        if (!pass_same_shape(&graph->tensors[x], &graph->tensors[output])) continue;
        if (graph->tensors[x].desc.dtype != TMC_F32) continue;
        TMC_TRY(pass_add(graph, node->name, TMC_OP_UNARY, &params, &x, 1, output, NULL, err));
        ir_kill_node(graph, id);
        ++*changes;
    }
    return TMC_OK;
}

/* a [.., K] times a constant b [K, N] is fully_connected with weights [N, K]: the same sums in the same order, from
 * weights that can be packed. */
tmc_status pass_recognise_fully_connected(ir_graph *graph, uint32_t *changes, tmc_error *err) {
    static const int32_t swap[2] = {1, 0};
    const tmc_fully_connected_params params = {{-INFINITY, INFINITY}};
    const uint32_t count = graph->node_count;
    for (ir_id id = 0; id < count; id++) {
        const ir_node *node = &graph->nodes[id];
        if (node->dead || node->op != TMC_OP_MATMUL) continue;
        const ir_id a = node->inputs[0], b = node->inputs[1];
        if (!pass_floats(graph, b) || graph->tensors[b].desc.rank != 2 || graph->tensors[a].desc.rank < 2) continue;
        const ir_id inputs[2] = {a, pass_permuted_constant(graph, b, swap)};
        TMC_TRY(pass_add(graph, node->name, TMC_OP_FULLY_CONNECTED, &params, inputs, 2, node->outputs[0], NULL, err));
        ir_kill_node(graph, id);
        ++*changes;
    }
    return TMC_OK;
}
