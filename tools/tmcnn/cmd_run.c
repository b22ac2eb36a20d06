/* tmcnn run: an image or a tensor in, an answer out. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/boundary.h"
#include "io/image.h"
#include "io/npy.h"
#include "io/preprocess.h"
#include "io/quantized.h"
#include "tmcnn/cli.h"
#include "tmcnn/present.h"

static int run_run(int argc, char **argv);

const cli_command cli_run = {
    "run", "run a model on images or NumPy files",
    "usage: tmcnn run [OPTIONS] MODEL.tmc [IMAGE ...]\n\n"
    "Each IMAGE (PNG or JPEG) is resized and normalised as the model's metadata says, and answered in turn. Without\n"
    "images every input comes from --input, a .npy file in the source model's own layout (N,C,H,W for ONNX). A "
    "quantised\n"
    "input takes i8, the u8 of a source model, or f32, which is quantised; a quantised output is written as i8.\n\n"
    "  --input [NAME=]FILE  an input, by name or in order; repeat for more\n"
    "  --output [NAME=]FILE an output, by name or in order: .npy (source layout) or .png (mask)\n"
    "  --top N              classes to show (default 5)\n"
    "  --digest             print the XXH3-128 of every output\n"
    "  --profile            print the time of every node\n"
    "  --check-finite       fail if an input or output holds NaN or infinity\n"
    "  --timeout MS         give up after so many milliseconds\n"
    "  --json               as JSON\n" CLI_PLAN_HELP,
    run_run};

#define MAX_FILES 32

typedef struct {
    cli_plan_args plan;
    const char *inputs[MAX_FILES], *outputs[MAX_FILES];
    int input_count, output_count, image_count;
    char **images;
    const char *model;
    long long top, timeout_ms;
    bool digest, profile, check_finite, json;
} run_args;

/* What one invocation holds. */
typedef struct {
    const run_args *args;
    tmc_model *model;
    tmc_plan *plan;
    tmc_session *session;
    tmc_model_info info;
    json_writer json;
    tmc_error err;
} run_state;

enum {
    OPT_INPUT = OPT_FIRST_OWN,
    OPT_OUTPUT,
    OPT_TOP,
    OPT_DIGEST,
    OPT_PROFILE,
    OPT_CHECK_FINITE,
    OPT_TIMEOUT,
    OPT_JSON
};

static int take_file(const char *option, const char *value, const char **list, int *count) {
    if (*count == MAX_FILES) return cli_usage(&cli_run, "more than %d --%s", MAX_FILES, option);
    list[(*count)++] = value;
    return CLI_OK;
}

static int take_option(int code, run_args *args) {
    switch (code) {
    case OPT_INPUT: return take_file("input", optarg, args->inputs, &args->input_count);
    case OPT_OUTPUT: return take_file("output", optarg, args->outputs, &args->output_count);
    case OPT_TOP: return cli_number(&cli_run, "top", optarg, 1, 100000, &args->top);
    case OPT_TIMEOUT: return cli_number(&cli_run, "timeout", optarg, 1, 1000000000, &args->timeout_ms);
    case OPT_DIGEST: args->digest = true; return CLI_OK;
    case OPT_PROFILE: args->profile = true; return CLI_OK;
    case OPT_CHECK_FINITE: args->check_finite = true; return CLI_OK;
    case OPT_JSON: args->json = true; return CLI_OK;
    default: return cli_plan_option(&cli_run, code, optarg, &args->plan);
    }
}

static int parse(int argc, char **argv, run_args *args) {
    static const struct option options[] = {CLI_PLAN_OPTIONS,
                                            {"input", required_argument, NULL, OPT_INPUT},
                                            {"output", required_argument, NULL, OPT_OUTPUT},
                                            {"top", required_argument, NULL, OPT_TOP},
                                            {"digest", no_argument, NULL, OPT_DIGEST},
                                            {"profile", no_argument, NULL, OPT_PROFILE},
                                            {"check-finite", no_argument, NULL, OPT_CHECK_FINITE},
                                            {"timeout", required_argument, NULL, OPT_TIMEOUT},
                                            {"json", no_argument, NULL, OPT_JSON},
                                            {NULL, 0, NULL, 0}};
    int code;
    memset(args, 0, sizeof *args);
    cli_plan_args_init(&args->plan);
    args->top = 5;
    opterr = 0;
    while ((code = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (code == '?') return cli_usage(&cli_run, "unknown option or missing value: %s", argv[optind - 1]);
        if (take_option(code, args)) return CLI_USAGE;
    }
    if (optind == argc) return cli_usage(&cli_run, "expected a model file");
    args->model = argv[optind];
    args->images = argv + optind + 1;
    args->image_count = argc - optind - 1;
    if (args->image_count && args->input_count) return cli_usage(&cli_run, "give images or --input, not both");
    if (!args->image_count && !args->input_count) return cli_usage(&cli_run, "expected an image or --input");
    if (args->image_count > 1 && args->output_count) return cli_usage(&cli_run, "--output needs a single image");
    return CLI_OK;
}

typedef tmc_status (*tensor_getter)(const tmc_session *, uint32_t, tmc_tensor_info *);

/* "NAME=FILE" or "FILE": the tensor's index, and the file. `count` if no tensor has the name. */
static uint32_t match_tensor(const run_state *s, const char *text, uint32_t position, uint32_t count, tensor_getter get,
                             const char **file) {
    const char *equals = strchr(text, '=');
    for (uint32_t i = 0; equals && i < count; i++) {
        tmc_tensor_info info = {.struct_size = sizeof info};
        get(s->session, i, &info);
        if (strlen(info.name) == (size_t)(equals - text) && strncmp(info.name, text, (size_t)(equals - text)) == 0) {
            *file = equals + 1;
            return i;
        }
    }
    *file = text; /* a file's name may hold a '=' itself */
    return position < count ? position : count;
}

/* A quantised input also takes real numbers, and the u8 numbers of a source model, which lie 128 higher. */
static bool is_convertible(const npy_array *array, const tmc_tensor_info *info) {
    return io_is_quantized(info) && (array->dtype == TMC_F32 || array->dtype == TMC_U8);
}

static tmc_status check_array(const npy_array *array, const tmc_tensor_info *info, tmc_error *err) {
    int32_t dims[TMC_MAX_RANK];
    if (array->dtype != info->dtype && !is_convertible(array, info))
        return tmc_fail(err, TMC_E_DTYPE, "elements are %s, input %s wants %s", tmc_dtype_name(array->dtype),
                        info->name, tmc_dtype_name(info->dtype));
    boundary_dims_to_source(info->layout, info->rank, info->dims, dims);
    if (array->rank != info->rank || memcmp(array->dims, dims, (size_t)info->rank * sizeof *dims))
        return tmc_fail(err, TMC_E_SHAPE,
                        "the shape is not that of input %s: see 'tmcnn info', or plan another with --shape",
                        info->name);
    return TMC_OK;
}

/* In place: f32 numbers are wider, u8 as wide as what they become. */
static void convert_array(const npy_array *array, const tmc_tensor_info *info) {
    if (!is_convertible(array, info)) return;
    uint8_t *bytes = array->data;
    if (array->dtype == TMC_F32)
        io_quantize(info, array->data, array->data);
    else
        for (size_t i = 0; i < info->bytes; i++) bytes[i] ^= 0x80;
}

static tmc_status write_array(run_state *s, uint32_t index, const npy_array *array) {
    tmc_tensor_info info = {.struct_size = sizeof info};
    tmc_session_input(s->session, index, &info);
    TMC_TRY(check_array(array, &info, &s->err));
    void *inner = malloc(info.bytes);
    if (!inner) return tmc_fail(&s->err, TMC_E_NOMEM, "no memory for %zu bytes", info.bytes);
    convert_array(array, &info);
    boundary_data_from_source(&info, array->data, inner);
    tmc_status status = tmc_session_write_input(s->session, index, inner, info.bytes, &s->err);
    free(inner);
    return status;
}

static int load_arrays(run_state *s) {
    for (int i = 0; i < s->args->input_count; i++) {
        const char *file;
        npy_array array;
        uint32_t index =
            match_tensor(s, s->args->inputs[i], (uint32_t)i, s->info.input_count, tmc_session_input, &file);
        if (index == s->info.input_count) return cli_usage(&cli_run, "the model has %u inputs", index);
        if (npy_read(file, &array, &s->err)) return cli_fail(&cli_run, NULL, &s->err);
        tmc_status status = write_array(s, index, &array);
        npy_free(&array);
        if (status) return cli_fail(&cli_run, file, &s->err);
    }
    return CLI_OK;
}

static tmc_status load_image(run_state *s, const char *path) {
    preprocess p;
    io_image image;
    tmc_tensor_info info = {.struct_size = sizeof info};
    if (s->info.input_count != 1)
        return tmc_fail(&s->err, TMC_E_ARG, "the model has %u inputs: give each as --input NAME=FILE.npy",
                        s->info.input_count);
    tmc_session_input(s->session, 0, &info);
    info.layout = boundary_picture_layout(s->model, &info);
    TMC_TRY(preprocess_from_model(s->model, &p, &s->err));
    TMC_TRY(io_image_read(path, &image, &s->err));
    const tmc_tensor_info real = io_is_quantized(&info) ? io_real_info(&info) : info;
    float *data = malloc(real.bytes);
    tmc_status status = data ? preprocess_image(&p, &image, &real, data, &s->err)
                             : tmc_fail(&s->err, TMC_E_NOMEM, "no memory for %zu bytes", real.bytes);
    if (!status && io_is_quantized(&info)) io_quantize(&info, data, (int8_t *)data);
    if (!status) status = tmc_session_write_input(s->session, 0, data, info.bytes, &s->err);
    free(data);
    io_image_free(&image);
    return status;
}

static void show_output(run_state *s, const present_tensor *tensor) {
    char digest[33];
    int scores = present_is_scores(tensor);
    tmc_session_info session = {.struct_size = sizeof session};
    present_digest(tensor, digest);
    tmc_session_get_info(s->session, &session);
    if (s->args->json) {
        json_open_object(&s->json, NULL);
        json_string(&s->json, "name", tensor->info.name);
        if (s->args->digest) {
            json_string(&s->json, "digest", digest);
            json_integer(&s->json, "exact", session.exact);
        }
        if (scores) present_scores_json(&s->json, s->model, tensor, (int)s->args->top);
        json_close_object(&s->json);
        return;
    }
    if (s->args->digest)
        printf("digest %s %s%s\n", digest, tensor->info.name,
               session.exact ? "" : " (not bit-identical to other CPUs)");
    if (scores && !s->args->output_count) {
        printf("%s\n", tensor->info.name);
        present_scores_text(s->model, tensor, (int)s->args->top);
    }
}

/* The numbers that a quantised output stands for, to be freed; NULL for any other. */
static float *real_numbers(present_tensor *tensor) {
    if (!io_is_quantized(&tensor->info)) return NULL;
    float *real = malloc(tensor->info.bytes * sizeof *real);
    if (real) io_dequantize(&tensor->info, tensor->data, real);
    tensor->real = real;
    return real;
}

static const char *output_file(const run_state *s, uint32_t index) {
    for (int i = 0; i < s->args->output_count; i++) {
        const char *file;
        if (match_tensor(s, s->args->outputs[i], (uint32_t)i, s->info.output_count, tmc_session_output, &file) == index)
            return file;
    }
    return NULL;
}

static int show_outputs(run_state *s) {
    if (s->args->json) json_open_array(&s->json, "outputs");
    for (uint32_t i = 0; i < s->info.output_count; i++) {
        present_tensor tensor = {.info = {.struct_size = sizeof tensor.info}};
        const char *file = output_file(s, i);
        tmc_session_output(s->session, i, &tensor.info);
        void *data = malloc(tensor.info.bytes);
        tmc_status status = data ? tmc_session_read_output(s->session, i, data, tensor.info.bytes, &s->err)
                                 : tmc_fail(&s->err, TMC_E_NOMEM, "no memory for %zu bytes", tensor.info.bytes);
        tensor.data = data;
        tensor.picture_layout = boundary_picture_layout(s->model, &tensor.info);
        float *real = status ? NULL : real_numbers(&tensor);
        if (!status && io_is_quantized(&tensor.info) && !real)
            status = tmc_fail(&s->err, TMC_E_NOMEM, "no memory for the numbers of %s", tensor.info.name);
        if (!status && file) status = present_write(file, &tensor, &s->err);
        if (!status) show_output(s, &tensor);
        free(data);
        free(real);
        if (status) return cli_fail(&cli_run, file, &s->err);
    }
    if (s->args->json) json_close_array(&s->json);
    return CLI_OK;
}

static void show_profile(run_state *s) {
    if (s->args->json) {
        json_open_array(&s->json, "profile");
    } else {
        printf("%10s %9s  %-16s %-26s %s\n", "us", "GMAC/s", "operator", "kernel", "name");
    }
    for (uint32_t i = 0; i < tmc_plan_node_count(s->plan); i++) {
        tmc_node_report node = {.struct_size = sizeof node};
        tmc_node_profile profile = {.struct_size = sizeof profile};
        tmc_plan_node(s->plan, i, &node);
        tmc_session_profile(s->session, i, &profile);
        double ns = (double)profile.last_ns;
        if (s->args->json) {
            json_open_object(&s->json, NULL);
            json_string(&s->json, "name", node.name);
            json_string(&s->json, "op", node.op);
            json_string(&s->json, "kernel", node.kernel);
            json_number(&s->json, "us", ns * 1e-3);
            json_integer(&s->json, "macs", (int64_t)node.macs);
            json_close_object(&s->json);
        } else {
            printf("%10.1f %9.2f  %-16s %-26s %s\n", ns * 1e-3, ns > 0 ? (double)node.macs / ns : 0.0, node.op,
                   node.kernel, node.name);
        }
    }
    if (s->args->json) json_close_array(&s->json);
}

/* `image` is NULL where the inputs are arrays. */
static int answer(run_state *s, const char *image) {
    tmc_run_options options;
    int result;
    if (image) {
        if (load_image(s, image)) return cli_fail(&cli_run, image, &s->err);
    } else if ((result = load_arrays(s))) {
        return result;
    }
    tmc_run_options_init(&options);
    if (s->args->check_finite) options.flags |= TMC_RUN_CHECK_FINITE;
    if (s->args->profile) options.flags |= TMC_RUN_PROFILE;
    options.timeout_ns = (uint64_t)s->args->timeout_ms * 1000000u;
    if (tmc_session_run(s->session, &options, &s->err))
        return cli_fail(&cli_run, image ? image : s->args->model, &s->err);
    if (s->args->json) {
        json_open_object(&s->json, NULL);
        if (image) json_string(&s->json, "image", image);
    } else if (image && s->args->image_count > 1) {
        printf("%s\n", image);
    }
    result = show_outputs(s);
    if (!result && s->args->profile) show_profile(s);
    if (s->args->json) json_close_object(&s->json);
    return result;
}

static int answer_all(run_state *s) {
    int result = CLI_OK;
    json_start(&s->json);
    if (s->args->json) json_open_array(&s->json, NULL);
    if (!s->args->image_count) result = answer(s, NULL);
    for (int i = 0; i < s->args->image_count && !result; i++) result = answer(s, s->args->images[i]);
    if (!s->args->json) return result;
    json_close_array(&s->json);
    char *text = json_finish(&s->json);
    if (!result) return cli_print_json(&cli_run, text);
    free(text);
    return result;
}

static int run_run(int argc, char **argv) {
    run_args args;
    run_state s = {.args = &args, .info = {.struct_size = sizeof s.info}};
    tmc_error_init(&s.err);
    int result = parse(argc, argv, &args);
    if (result) return result;
    result = cli_open(&cli_run, args.model, &args.plan, &s.model);
    if (!result) result = cli_plan(&cli_run, args.model, &args.plan, s.model, &s.plan);
    if (!result && tmc_session_create(s.plan, NULL, &s.session, &s.err))
        result = cli_fail(&cli_run, args.model, &s.err);
    if (!result) {
        tmc_model_get_info(s.model, &s.info);
        result = answer_all(&s);
    }
    tmc_session_release(&s.session);
    tmc_plan_release(&s.plan);
    tmc_model_release(&s.model);
    return result;
}
