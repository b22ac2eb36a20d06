#include "tmcnn/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/boundary.h"

int cli_fail(const cli_command *command, const char *subject, const tmc_error *err) {
    fprintf(stderr, "tmcnn %s: ", command->name);
    if (subject) fprintf(stderr, "%s: ", subject);
    fputs(err->message[0] ? err->message : tmc_status_text(err->status), stderr);
    if (err->node >= 0) fprintf(stderr, " (node %d)", err->node);
    if (err->tensor >= 0) fprintf(stderr, " (tensor %d)", err->tensor);
    if (err->field[0]) fprintf(stderr, " (field %s)", err->field);
    if (err->section[0]) fprintf(stderr, " (section %s, byte %" PRIu64 ")", err->section, err->byte_offset);
    fprintf(stderr, " [%s]\n", tmc_status_name(err->status));
    return err->status == TMC_E_NOMEM ? CLI_NO_MEMORY : CLI_FAILED;
}

int cli_usage(const cli_command *command, const char *fmt, ...) {
    va_list args;
    fprintf(stderr, "tmcnn %s: ", command->name);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "; try 'tmcnn %s --help'\n", command->name);
    return CLI_USAGE;
}

int cli_number(const cli_command *command, const char *option, const char *text, long long low, long long high,
               long long *out) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end || value < low || value > high)
        return cli_usage(command, "--%s takes a whole number from %lld to %lld, not '%s'", option, low, high, text);
    *out = value;
    return CLI_OK;
}

void cli_plan_args_init(cli_plan_args *args) {
    memset(args, 0, sizeof *args);
    args->threads = 1;
}

int cli_plan_option(const cli_command *command, int code, const char *value, cli_plan_args *args) {
    long long number = 0;
    switch (code) {
    case OPT_THREADS:
        if (cli_number(command, "threads", value, 1, 64, &number)) return CLI_USAGE;
        args->threads = (uint32_t)number;
        return CLI_OK;
    case OPT_ISA:
        if (strcmp(value, "auto") == 0) {
            args->isa = TMC_ISA_AUTO;
        } else if (tmc_isa_from_name(value, &args->isa)) {
            return cli_usage(command, "unknown --isa '%s'", value);
        }
        return CLI_OK;
    case OPT_SHAPE:
        if (args->shape_count == CLI_MAX_SHAPES) return cli_usage(command, "more than %d --shape", CLI_MAX_SHAPES);
        args->shapes[args->shape_count++] = value;
        return CLI_OK;
    case OPT_ARENA_LIMIT:
        if (cli_number(command, "arena-limit", value, 1, INT64_MAX, &number)) return CLI_USAGE;
        args->arena_limit = (uint64_t)number;
        return CLI_OK;
    case OPT_MMAP: args->mmap = true; return CLI_OK;
    default: return cli_usage(command, "unknown option");
    }
}

int cli_open(const cli_command *command, const char *path, const cli_plan_args *args, tmc_model **model) {
    tmc_model_options options;
    tmc_error err;
    tmc_error_init(&err);
    tmc_model_options_init(&options);
    if (args->mmap) options.flags |= TMC_MODEL_MMAP;
    return tmc_model_open_file(path, &options, model, &err) ? cli_fail(command, path, &err) : CLI_OK;
}

/* "name=1,3,8,8" or "1,3,8,8" into the input's place in `shapes`, turned to the model's layout. */
static int take_shape(const cli_command *command, const tmc_model *model, const char *text, uint32_t position,
                      uint32_t count, tmc_shape *shapes) {
    const char *equals = strrchr(text, '=');
    uint32_t index = position;
    tmc_tensor_info info = {.struct_size = sizeof info};
    if (equals) {
        for (index = 0; index < count; index++) {
            tmc_model_input(model, index, &info);
            if (strlen(info.name) == (size_t)(equals - text) && strncmp(info.name, text, (size_t)(equals - text)) == 0)
                break;
        }
    }
    if (index >= count) return cli_usage(command, "--shape %s names no input of the model", text);
    tmc_model_input(model, index, &info);
    tmc_shape source = {0};
    const char *at = equals ? equals + 1 : text;
    while (*at && source.rank < TMC_MAX_RANK) {
        char *end;
        long dim = strtol(at, &end, 10);
        if (end == at || dim < 1 || dim > INT32_MAX || (*end && *end != ','))
            return cli_usage(command, "--shape %s: dimensions are positive numbers with commas between", text);
        source.dims[source.rank++] = (int32_t)dim;
        at = *end ? end + 1 : end;
    }
    if (source.rank != info.rank)
        return cli_usage(command, "--shape %s: input %s has %d dimensions", text, info.name, info.rank);
    boundary_dims_from_source(info.layout, source.rank, source.dims, shapes[index].dims);
    return CLI_OK;
}

int cli_plan(const cli_command *command, const char *path, const cli_plan_args *args, tmc_model *model,
             tmc_plan **plan) {
    tmc_plan_options options;
    tmc_model_info model_info = {.struct_size = sizeof model_info};
    tmc_shape *shapes = NULL;
    tmc_error err;
    int result = CLI_OK;
    tmc_error_init(&err);
    tmc_plan_options_init(&options);
    tmc_model_get_info(model, &model_info);
    options.max_isa = args->isa;
    options.threads = args->threads;
    options.arena_limit = args->arena_limit;
    if (args->shape_count) {
        shapes = calloc(model_info.input_count, sizeof *shapes);
        if (!shapes) return CLI_NO_MEMORY;
        for (uint32_t i = 0; i < model_info.input_count; i++) {
            tmc_tensor_info info = {.struct_size = sizeof info};
            tmc_model_input(model, i, &info);
            shapes[i].rank = info.rank;
            memcpy(shapes[i].dims, info.dims, sizeof info.dims);
        }
        for (int i = 0; i < args->shape_count && !result; i++)
            result = take_shape(command, model, args->shapes[i], (uint32_t)i, model_info.input_count, shapes);
        options.input_shapes = shapes;
        options.input_count = model_info.input_count;
    }
    if (!result && tmc_plan_create(model, &options, plan, &err)) result = cli_fail(command, path, &err);
    free(shapes);
    return result;
}

void cli_hex(const uint8_t *bytes, size_t n, char *out) {
    for (size_t i = 0; i < n; i++) snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

int cli_print_json(const cli_command *command, char *text) {
    if (!text) {
        fprintf(stderr, "tmcnn %s: out of memory\n", command->name);
        return CLI_NO_MEMORY;
    }
    fputs(text, stdout);
    free(text);
    return CLI_OK;
}
