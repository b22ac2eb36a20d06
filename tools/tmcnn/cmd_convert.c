/* tmcnn convert: an ONNX or TFLite model becomes a .tmc file. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/convert.h"
#include "convert/memory.h"
#include "io/file.h"
#include "tmcnn/cli.h"

static void print_note(void *user, const char *line) {
    (void)user;
    printf("%s\n", line);
}

static int run_convert(int argc, char **argv);

const cli_command cli_convert = {
    "convert", "turn an ONNX or TFLite model into a .tmc file",
    "usage: tmcnn convert [OPTIONS] MODEL.onnx|MODEL.tflite -o MODEL.tmc\n\n"
    "Checks the model, infers shapes, folds constants and batch normalisation, fuses padding and activations, turns "
    "the\n"
    "layout to channels-last and packs the weights. What the library cannot run is refused with the full list.\n\n"
    "  -o, --output FILE    the file to write; an existing one is replaced only when the new one is complete\n"
    "  --shape NAME=DIMS    shape of an input, as 1,3,224,224; needed where the model leaves a size open\n"
    "  --meta KEY=VALUE     a metadata entry: labels, preprocess.mean, licence, ... ; repeat for more\n"
    "  --labels FILE        class names, one per line, as metadata 'labels'\n"
    "  --revision N         rollback counter of the file (default 0)\n"
    "  --winograd CHOICE    3x3 convolutions by Winograd's algorithm, with other last bits: auto (default: where it "
    "is\n"
    "                       faster), off, or 2x2, 4x4 for all that can\n"
    "  --i8 CHOICE          operators of a quantised model on 8-bit integers: on (default: where there are such), off "
    "(in\n"
    "                       float, between dequantize and quantize)\n"
    "  --no-selftest        store no self-test vectors\n"
    "  --explain            print what each pass did, and what of a quantised model stays float\n",
    run_convert};

enum { MAX_ENTRIES = 64, LABELS_LIMIT = 65000 };
enum { OPT_SHAPE_OF = 256, OPT_META, OPT_LABELS, OPT_REVISION, OPT_WINOGRAD, OPT_I8, OPT_NO_SELFTEST, OPT_EXPLAIN };

typedef struct {
    const char *input, *output;
    convert_options options;
    import_shape shapes[MAX_ENTRIES];
    ir_metadata metadata[MAX_ENTRIES];
    bool explain;
} convert_args;

static int take_shape(const char *text, convert_args *args) {
    const char *equals = strrchr(text, '=');
    if (!equals || equals == text) return cli_usage(&cli_convert, "--shape wants NAME=1,3,224,224, not '%s'", text);
    if (args->options.shape_count == MAX_ENTRIES) return cli_usage(&cli_convert, "more than %d --shape", MAX_ENTRIES);
    import_shape *shape = &args->shapes[args->options.shape_count++];
    char *name = x_strdup(text);
    name[equals - text] = 0;
    shape->name = name;
    for (const char *at = equals + 1; *at;) {
        char *end;
        long dim = strtol(at, &end, 10);
        if (end == at || dim < 1 || dim > INT32_MAX || (*end && *end != ',') || shape->rank == TMC_MAX_RANK)
            return cli_usage(&cli_convert, "--shape %s: up to %d positive numbers with commas between", text,
                             TMC_MAX_RANK);
        shape->dims[shape->rank++] = (int32_t)dim;
        at = *end ? end + 1 : end;
    }
    return CLI_OK;
}

static int add_metadata(char *key, char *value, convert_args *args) {
    if (args->options.metadata_count == MAX_ENTRIES)
        return cli_usage(&cli_convert, "more than %d metadata entries", MAX_ENTRIES);
    args->metadata[args->options.metadata_count++] = (ir_metadata){key, value};
    return CLI_OK;
}

static int take_metadata(const char *text, convert_args *args) {
    const char *equals = strchr(text, '=');
    if (!equals || equals == text) return cli_usage(&cli_convert, "--meta wants KEY=VALUE, not '%s'", text);
    char *key = x_strdup(text);
    key[equals - text] = 0;
    return add_metadata(key, x_strdup(equals + 1), args);
}

static int take_labels(const char *path, convert_args *args) {
    uint8_t *bytes;
    size_t size;
    tmc_error err;
    tmc_error_init(&err);
    if (io_read_file(path, LABELS_LIMIT, &bytes, &size, &err)) return cli_fail(&cli_convert, NULL, &err);
    while (size && (bytes[size - 1] == '\n' || bytes[size - 1] == '\r')) size--;
    bytes[size] = 0;
    return add_metadata(x_strdup("labels"), (char *)bytes, args);
}

static int take_winograd(const char *text, convert_args *args) {
    static const char *const names[] = {
        [WINOGRAD_AUTO] = "auto", [WINOGRAD_OFF] = "off", [WINOGRAD_2X2] = "2x2", [WINOGRAD_4X4] = "4x4"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        args->options.passes.winograd = (pass_winograd_choice)i;
        return CLI_OK;
    }
    return cli_usage(&cli_convert, "--winograd wants auto, off, 2x2 or 4x4, not '%s'", text);
}

static int take_i8(const char *text, convert_args *args) {
    const bool off = strcmp(text, "off") == 0;
    if (!off && strcmp(text, "on") != 0) return cli_usage(&cli_convert, "--i8 wants on or off, not '%s'", text);
    args->options.passes.keep_f32 = off;
    return CLI_OK;
}

static int take_option(int code, convert_args *args) {
    long long number = 0;
    switch (code) {
    case 'o': args->output = optarg; return CLI_OK;
    case OPT_SHAPE_OF: return take_shape(optarg, args);
    case OPT_META: return take_metadata(optarg, args);
    case OPT_LABELS: return take_labels(optarg, args);
    case OPT_REVISION:
        if (cli_number(&cli_convert, "revision", optarg, 0, UINT32_MAX, &number)) return CLI_USAGE;
        args->options.revision = (uint32_t)number;
        return CLI_OK;
    case OPT_WINOGRAD: return take_winograd(optarg, args);
    case OPT_I8: return take_i8(optarg, args);
    case OPT_NO_SELFTEST: args->options.no_selftest = true; return CLI_OK;
    case OPT_EXPLAIN: args->explain = true; return CLI_OK;
    default: return cli_usage(&cli_convert, "unknown option");
    }
}

static int parse(int argc, char **argv, convert_args *args) {
    static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                            {"shape", required_argument, NULL, OPT_SHAPE_OF},
                                            {"meta", required_argument, NULL, OPT_META},
                                            {"labels", required_argument, NULL, OPT_LABELS},
                                            {"revision", required_argument, NULL, OPT_REVISION},
                                            {"winograd", required_argument, NULL, OPT_WINOGRAD},
                                            {"i8", required_argument, NULL, OPT_I8},
                                            {"no-selftest", no_argument, NULL, OPT_NO_SELFTEST},
                                            {"explain", no_argument, NULL, OPT_EXPLAIN},
                                            {NULL, 0, NULL, 0}};
    int code;
    args->options.shapes = args->shapes;
    args->options.metadata = args->metadata;
    opterr = 0;
    while ((code = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
        if (code == '?') return cli_usage(&cli_convert, "unknown option or missing value: %s", argv[optind - 1]);
        int result = take_option(code, args);
        if (result) return result;
    }
    if (optind + 1 != argc) return cli_usage(&cli_convert, "expected one ONNX or TFLite file");
    if (!args->output) return cli_usage(&cli_convert, "expected -o MODEL.tmc");
    args->input = argv[optind];
    return CLI_OK;
}

static void free_args(convert_args *args) {
    for (size_t i = 0; i < args->options.shape_count; i++) free((char *)(uintptr_t)args->shapes[i].name);
    for (uint32_t i = 0; i < args->options.metadata_count; i++) {
        free(args->metadata[i].key);
        free(args->metadata[i].value);
    }
}

static void print_reason(void *user, const char *line) {
    (void)user;
    fprintf(stderr, "  %s\n", line);
}

static void print_pass(void *user, const pass_report *report) {
    (void)user;
    printf("%-26s %5u changes  nodes %4u -> %4u  constants %.1f -> %.1f KiB%s\n", report->name, report->changes,
           report->nodes_before, report->nodes_after, (double)report->constant_bytes_before / 1024.0,
           (double)report->constant_bytes_after / 1024.0, report->made_static ? "  (input sizes become fixed)" : "");
}

static int run_convert(int argc, char **argv) {
    convert_args args;
    tmc_error err;
    uint8_t *bytes = NULL;
    size_t size = 0;
    memset(&args, 0, sizeof args);
    tmc_error_init(&err);
    int result = parse(argc, argv, &args);
    if (!result) {
        args.options.report = print_reason;
        if (args.explain) {
            args.options.passes.explain = print_pass;
            args.options.passes.note = print_note;
        }
        if (convert_file(args.input, &args.options, &bytes, &size, &err)) {
            result = cli_fail(&cli_convert, args.input, &err);
        } else if (io_write_file(args.output, bytes, size, &err)) {
            result = cli_fail(&cli_convert, NULL, &err);
        }
    }
    if (!result && args.explain) printf("wrote %s, %zu bytes\n", args.output, size);
    free(bytes);
    free_args(&args);
    return result;
}
