/* tmcnn info: what a model is, needs and costs. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "io/boundary.h"
#include "io/json.h"
#include "tmcnn/cli.h"

static int run_info(int argc, char **argv);

const cli_command cli_info = {
    "info", "show a model's graph, size, arithmetic and memory",
    "usage: tmcnn info [OPTIONS] MODEL.tmc\n\n"
    "Shows inputs, outputs, metadata, parameters, multiply-accumulates, operators and the exact memory of a run.\n\n"
    "  --nodes              list every node: operator, kernel, shape, arithmetic, place in the arena\n"
    "  --json               as JSON\n" CLI_PLAN_HELP,
    run_info};

typedef struct {
    cli_plan_args plan;
    bool nodes, json;
} info_args;

enum { OPT_NODES = OPT_FIRST_OWN, OPT_JSON };

static int parse(int argc, char **argv, info_args *args) {
    static const struct option options[] = {CLI_PLAN_OPTIONS,
                                            {"nodes", no_argument, NULL, OPT_NODES},
                                            {"json", no_argument, NULL, OPT_JSON},
                                            {NULL, 0, NULL, 0}};
    int code;
    memset(args, 0, sizeof *args);
    cli_plan_args_init(&args->plan);
    opterr = 0;
    while ((code = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (code == '?') return cli_usage(&cli_info, "unknown option or missing value: %s", argv[optind - 1]);
        if (code == OPT_NODES) {
            args->nodes = true;
        } else if (code == OPT_JSON) {
            args->json = true;
        } else if (cli_plan_option(&cli_info, code, optarg, &args->plan)) {
            return CLI_USAGE;
        }
    }
    if (optind + 1 != argc) return cli_usage(&cli_info, "expected one model file");
    return CLI_OK;
}

static void dims_text(int32_t rank, const int32_t *dims, char *out, size_t size) {
    size_t at = (size_t)snprintf(out, size, "[");
    for (int32_t i = 0; i < rank && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, i ? ",%d" : "%d", dims[i]);
    if (at < size) snprintf(out + at, size - at, "]");
}

/* The shape of a boundary tensor in the source model's layout; a dimension that a plan may choose ends in '*'. */
static void source_shape_text(const tmc_tensor_info *info, char *out, size_t size) {
    int32_t dims[TMC_MAX_RANK], dims_max[TMC_MAX_RANK];
    boundary_dims_to_source(info->layout, info->rank, info->dims, dims);
    boundary_dims_to_source(info->layout, info->rank, info->dims_max, dims_max);
    size_t at = (size_t)snprintf(out, size, "[");
    for (int32_t i = 0; i < info->rank && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%d%s", i ? "," : "", dims[i], dims_max[i] > dims[i] ? "*" : "");
    if (at < size) snprintf(out + at, size - at, "]");
}

typedef tmc_status (*tensor_getter)(const tmc_model *, uint32_t, tmc_tensor_info *);

static void print_tensors(const tmc_model *model, const char *what, uint32_t count, tensor_getter get) {
    for (uint32_t i = 0; i < count; i++) {
        char shape[96];
        tmc_tensor_info info = {.struct_size = sizeof info};
        get(model, i, &info);
        source_shape_text(&info, shape, sizeof shape);
        printf("%-13s %s %s %s", what, info.name, tmc_dtype_name(info.dtype), shape);
        if (info.scale != 0.0f) printf(", scale %.9g, zero point %d", (double)info.scale, info.zero_point);
        printf("\n");
    }
}

typedef struct {
    const char *op;
    uint32_t count;
    uint64_t macs;
} op_total;

#define MAX_OPS 64

/* Totals per operator in order of first use. */
static uint32_t count_ops(const tmc_plan *plan, op_total *totals) {
    uint32_t used = 0;
    for (uint32_t i = 0; i < tmc_plan_node_count(plan); i++) {
        tmc_node_report node = {.struct_size = sizeof node};
        uint32_t k = 0;
        tmc_plan_node(plan, i, &node);
        while (k < used && strcmp(totals[k].op, node.op)) k++;
        if (k == MAX_OPS) continue;
        if (k == used) totals[used++] = (op_total){node.op, 0, 0};
        totals[k].count++;
        totals[k].macs += node.macs;
    }
    return used;
}

static void print_nodes(const tmc_plan *plan) {
    printf("\n%5s %-16s %-26s %-20s %12s %12s  %s\n", "node", "operator", "kernel", "output", "MACs", "arena", "name");
    for (uint32_t i = 0; i < tmc_plan_node_count(plan); i++) {
        tmc_node_report node = {.struct_size = sizeof node};
        char shape[96], offset[24] = "-";
        tmc_plan_node(plan, i, &node);
        dims_text(node.output_rank, node.output_dims, shape, sizeof shape);
        if (node.arena_offset != UINT64_MAX) snprintf(offset, sizeof offset, "%" PRIu64, node.arena_offset);
        printf("%5u %-16s %-26s %-20s %12" PRIu64 " %12s  %s%s\n", i, node.op, node.kernel, shape, node.macs, offset,
               node.name, node.in_place ? " (in place)" : "");
    }
}

/* How many nodes have results that another CPU would not give to the bit. */
static uint32_t count_inexact(const tmc_plan *plan) {
    uint32_t inexact = 0;
    for (uint32_t i = 0; i < tmc_plan_node_count(plan); i++) {
        tmc_node_report node = {.struct_size = sizeof node};
        tmc_plan_node(plan, i, &node);
        inexact += !node.exact;
    }
    return inexact;
}

/* How much of a quantised model is computed with integers; nothing for a float model. */
static void print_integer_share(const tmc_plan *plan, uint64_t all_macs) {
    uint32_t nodes = 0;
    uint64_t macs = 0;
    for (uint32_t i = 0; i < tmc_plan_node_count(plan); i++) {
        tmc_node_report node = {.struct_size = sizeof node};
        tmc_plan_node(plan, i, &node);
        if (node.precision != TMC_I8) continue;
        nodes++;
        macs += node.macs;
    }
    if (!nodes) return;
    printf("%-13s %u of %u nodes, %.1f %% of the MACs\n", "int8", nodes, tmc_plan_node_count(plan),
           all_macs ? 100.0 * (double)macs / (double)all_macs : 0.0);
}

static int print_text(const tmc_model *model, const tmc_plan *plan, const info_args *args) {
    tmc_model_info info = {.struct_size = sizeof info};
    tmc_memory memory = {.struct_size = sizeof memory};
    op_total totals[MAX_OPS];
    char hex[65];
    tmc_model_get_info(model, &info);
    tmc_plan_memory(plan, &memory);
    printf("%-13s %s\n", "name", info.name);
    printf("%-13s .tmc %u.%u, %" PRIu64 " bytes, weights %" PRIu64 "\n", "file", info.format_major, info.format_minor,
           info.file_bytes, info.weight_bytes);
    cli_hex(info.checksum, sizeof info.checksum, hex);
    printf("%-13s %s\n", "xxh3-128", hex);
    cli_hex(info.sha256, sizeof info.sha256, hex);
    printf("%-13s %s\n", "sha-256", hex);
    print_tensors(model, "input", info.input_count, tmc_model_input);
    print_tensors(model, "output", info.output_count, tmc_model_output);
    printf("%-13s %.3f million\n", "parameters", (double)info.parameters / 1e6);
    printf("%-13s %.1f million\n", "MACs", (double)info.macs / 1e6);
    printf("%-13s model %" PRIu64 " + plan %" PRIu64 " + session %" PRIu64 " = %" PRIu64 " bytes\n", "peak memory",
           memory.model_bytes, memory.plan_bytes, memory.session_bytes,
           memory.model_bytes + memory.plan_bytes + memory.session_bytes);
    printf("%-13s %" PRIu64 " bytes (largest live set %" PRIu64 ", scratch %" PRIu64 ")\n", "arena", memory.arena_bytes,
           memory.live_bytes, memory.scratch_bytes);
    printf("%-13s %u\n", "self-tests", info.selftest_count);
    for (uint32_t i = 0; i < info.metadata_count; i++) {
        const char *key, *value;
        tmc_model_metadata_at(model, i, &key, &value);
        printf("%-13s %s = %.200s\n", "metadata", key, value);
    }
    const uint32_t inexact = count_inexact(plan);
    if (inexact) printf("%-13s %u nodes are not bit-identical to other CPUs' results\n", "exact", inexact);
    print_integer_share(plan, info.macs);
    uint32_t used = count_ops(plan, totals);
    printf("%-13s %u nodes\n", "operators", info.node_count);
    for (uint32_t i = 0; i < used; i++)
        printf("  %-20s %5u  %12.3f million MACs\n", totals[i].op, totals[i].count, (double)totals[i].macs / 1e6);
    if (args->nodes) print_nodes(plan);
    return CLI_OK;
}

static void json_dims(json_writer *json, const char *key, int32_t rank, const int32_t *dims) {
    json_open_array(json, key);
    for (int32_t i = 0; i < rank; i++) json_integer(json, NULL, dims[i]);
    json_close_array(json);
}

static void json_tensors(json_writer *json, const tmc_model *model, const char *key, uint32_t count,
                         tensor_getter get) {
    json_open_array(json, key);
    for (uint32_t i = 0; i < count; i++) {
        int32_t dims[TMC_MAX_RANK];
        tmc_tensor_info info = {.struct_size = sizeof info};
        get(model, i, &info);
        boundary_dims_to_source(info.layout, info.rank, info.dims, dims);
        json_open_object(json, NULL);
        json_string(json, "name", info.name);
        json_string(json, "dtype", tmc_dtype_name(info.dtype));
        json_dims(json, "shape", info.rank, dims);
        if (info.scale != 0.0f) {
            json_number(json, "scale", (double)info.scale);
            json_integer(json, "zero_point", info.zero_point);
        }
        json_close_object(json);
    }
    json_close_array(json);
}

static void json_nodes(json_writer *json, const tmc_plan *plan) {
    json_open_array(json, "nodes");
    for (uint32_t i = 0; i < tmc_plan_node_count(plan); i++) {
        tmc_node_report node = {.struct_size = sizeof node};
        tmc_plan_node(plan, i, &node);
        json_open_object(json, NULL);
        json_string(json, "name", node.name);
        json_string(json, "op", node.op);
        json_string(json, "backend", node.backend);
        json_string(json, "kernel", node.kernel);
        json_string(json, "isa", tmc_isa_name(node.isa));
        json_string(json, "precision", tmc_dtype_name(node.precision));
        json_integer(json, "exact", node.exact);
        json_integer(json, "in_place", node.in_place);
        json_integer(json, "macs", (int64_t)node.macs);
        json_dims(json, "output", node.output_rank, node.output_dims);
        json_close_object(json);
    }
    json_close_array(json);
}

static int print_json(const tmc_model *model, const tmc_plan *plan, const info_args *args) {
    tmc_model_info info = {.struct_size = sizeof info};
    tmc_memory memory = {.struct_size = sizeof memory};
    json_writer json;
    char hex[65];
    tmc_model_get_info(model, &info);
    tmc_plan_memory(plan, &memory);
    json_start(&json);
    json_open_object(&json, NULL);
    json_string(&json, "name", info.name);
    json_integer(&json, "file_bytes", (int64_t)info.file_bytes);
    json_integer(&json, "weight_bytes", (int64_t)info.weight_bytes);
    cli_hex(info.checksum, sizeof info.checksum, hex);
    json_string(&json, "xxh3_128", hex);
    cli_hex(info.sha256, sizeof info.sha256, hex);
    json_string(&json, "sha256", hex);
    json_tensors(&json, model, "inputs", info.input_count, tmc_model_input);
    json_tensors(&json, model, "outputs", info.output_count, tmc_model_output);
    json_integer(&json, "parameters", (int64_t)info.parameters);
    json_integer(&json, "macs", (int64_t)info.macs);
    json_integer(&json, "node_count", info.node_count);
    json_open_object(&json, "memory");
    json_integer(&json, "model_bytes", (int64_t)memory.model_bytes);
    json_integer(&json, "plan_bytes", (int64_t)memory.plan_bytes);
    json_integer(&json, "session_bytes", (int64_t)memory.session_bytes);
    json_integer(&json, "arena_bytes", (int64_t)memory.arena_bytes);
    json_integer(&json, "live_bytes", (int64_t)memory.live_bytes);
    json_integer(&json, "scratch_bytes", (int64_t)memory.scratch_bytes);
    json_integer(&json, "peak_bytes", (int64_t)(memory.model_bytes + memory.plan_bytes + memory.session_bytes));
    json_close_object(&json);
    json_open_object(&json, "metadata");
    for (uint32_t i = 0; i < info.metadata_count; i++) {
        const char *key, *value;
        tmc_model_metadata_at(model, i, &key, &value);
        json_string(&json, key, value);
    }
    json_close_object(&json);
    if (args->nodes) json_nodes(&json, plan);
    json_close_object(&json);
    return cli_print_json(&cli_info, json_finish(&json));
}

static int run_info(int argc, char **argv) {
    info_args args;
    tmc_model *model = NULL;
    tmc_plan *plan = NULL;
    int result = parse(argc, argv, &args);
    if (!result) result = cli_open(&cli_info, argv[optind], &args.plan, &model);
    if (!result) result = cli_plan(&cli_info, argv[optind], &args.plan, model, &plan);
    if (!result) result = args.json ? print_json(model, plan, &args) : print_text(model, plan, &args);
    tmc_plan_release(&plan);
    tmc_model_release(&model);
    return result;
}
