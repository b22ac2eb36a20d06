/* State of one import: the names of the model and what they stand for. */
#ifndef TMC_CONVERT_ONNX_CONTEXT_H
#define TMC_CONVERT_ONNX_CONTEXT_H

#include "convert/onnx/lower.h"

typedef enum onnx_value_kind {
    ONNX_VALUE_TENSOR,
    ONNX_VALUE_EMPTY,   /* no elements: there is no such tensor in the graph */
    ONNX_VALUE_REFUSED, /* the producer was refused and reported */
    ONNX_VALUE_MISSING  /* an optional output that we do not compute: reported where it is read */
} onnx_value_kind;

typedef struct onnx_value {
    const char *name; /* the model's string */
    onnx_value_kind kind;
    ir_id id;                        /* TENSOR */
    tmc_tensor_desc desc;            /* EMPTY */
    const Onnx__NodeProto *producer; /* MISSING */
    bool is_unsigned;                /* a quantised tensor whose numbers are uint8 in the model */
} onnx_value;

/* A named dimension, or a nameless one of its own (name NULL). */
typedef struct onnx_symbol {
    const char *name;
    int32_t value;
    bool known;
    bool batch_only; /* occurs as first axis only */
    bool flexible;   /* the graph was found to be the same for another value */
} onnx_symbol;

/* Where a symbol occurs among the graph's inputs. */
typedef struct onnx_symbol_use {
    const char *input;
    uint32_t axis, symbol;
} onnx_symbol_use;

typedef struct onnx_symbols {
    onnx_symbol *items;
    uint32_t count, capacity;
    onnx_symbol_use *uses;
    uint32_t use_count, use_capacity;
} onnx_symbols;

struct onnx_context {
    const Onnx__ModelProto *model;
    const onnx_import_options *options;
    const char *base_folder;
    onnx_symbols *symbols;
    ir_graph *graph;
    int64_t opset;

    onnx_value *values;
    uint32_t value_count, value_capacity;
    uint32_t *table; /* open addressing over the names; UINT32_MAX is free */
    uint32_t table_size;

    uint64_t *derived; /* per tensor of the graph, see onnx_ints */
    uint32_t derived_capacity;

    import_issues issues;
    tmc_error *err;
};

/* ------------------------------------------------------------------------------------------- values.c */

onnx_value *onnx_find_value(const onnx_context *ctx, const char *name); /* NULL */
/* E_GRAPH if the name is empty or taken. The pointer is good until the next call. */
tmc_status onnx_define_value(onnx_context *ctx, const char *name, onnx_value_kind kind, ir_id id, onnx_value **out);
onnx_value *onnx_value_of_input(const onnx_lower *lw, size_t index); /* NULL if absent */
void onnx_context_clear(onnx_context *ctx);                          /* not the graph */

/* ------------------------------------------------------------------------------------------- inputs.c */

/* Finds every symbolic dimension of the model's inputs and gives it a value: from the options, or 1 for a first axis.
 * E_SHAPE if one stays unknown or contradicts itself; E_ARG if an option names no input. */
tmc_status onnx_resolve_symbols(const Onnx__ModelProto *model, const onnx_import_options *options,
                                onnx_symbols *symbols, tmc_error *err);
/* Sets dims_max of the inputs' flexible dimensions. */
void onnx_apply_flexible(const onnx_symbols *symbols, ir_graph *graph);
void onnx_symbols_clear(onnx_symbols *symbols);
/* Adds the graph's inputs and initializers. */
tmc_status onnx_add_inputs(onnx_context *ctx);
tmc_status onnx_add_initializers(onnx_context *ctx);

#endif
