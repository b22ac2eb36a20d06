#define XXH_INLINE_ALL
#include "tmcnn/present.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "io/boundary.h"
#include "io/image.h"
#include "io/npy.h"
#include "tmcnn/cli.h"

static size_t count_of(const tmc_tensor_info *info) {
    size_t n = 1;
    for (int32_t i = 0; i < info->rank; i++) n *= (size_t)info->dims[i];
    return n;
}

/* What the tensor stands for, NULL if that is no real numbers. */
static const float *numbers_of(const present_tensor *tensor) {
    return tensor->info.dtype == TMC_F32 ? tensor->data : tensor->real;
}

int present_is_scores(const present_tensor *tensor) {
    int long_axes = 0;
    for (int32_t i = 0; i < tensor->info.rank; i++) long_axes += tensor->info.dims[i] > 1;
    return numbers_of(tensor) && long_axes <= 1;
}

/* The index-th name of a list with newlines or commas between, into `out`; empty if there is none. */
static void label_of(const tmc_model *model, size_t index, char *out, size_t size) {
    const char *text = tmc_model_metadata_get(model, "labels");
    out[0] = 0;
    while (text && *text) {
        size_t n = strcspn(text, "\n,");
        if (index-- == 0) {
            snprintf(out, size, "%.*s", (int)(n < size ? n : size - 1), text);
            return;
        }
        text += n;
        if (*text) text++;
    }
}

/* The largest score that was not taken yet; NaN counts as larger than all, so that it is seen. */
static size_t next_best(const float *scores, size_t count, const bool *taken) {
    size_t best = count;
    for (size_t i = 0; i < count; i++)
        if (!taken[i] &&
            (best == count || scores[i] > scores[best] || (scores[i] != scores[i] && scores[best] == scores[best])))
            best = i;
    return best;
}

typedef void (*score_visitor)(void *context, size_t class_index, const char *label, float score);

static void visit_top(const tmc_model *model, const present_tensor *tensor, int top, score_visitor visit,
                      void *context) {
    size_t count = count_of(&tensor->info);
    const float *scores = numbers_of(tensor);
    bool *taken = calloc(count, sizeof *taken);
    if (!taken) return;
    for (int i = 0; i < top && (size_t)i < count; i++) {
        char label[256];
        size_t best = next_best(scores, count, taken);
        taken[best] = true;
        label_of(model, best, label, sizeof label);
        visit(context, best, label, scores[best]);
    }
    free(taken);
}

static void print_score(void *context, size_t class_index, const char *label, float score) {
    (void)context;
    printf("  %5zu  %12.6g  %s\n", class_index, (double)score, label);
}

static void write_score(void *context, size_t class_index, const char *label, float score) {
    json_writer *json = context;
    json_open_object(json, NULL);
    json_integer(json, "class", (int64_t)class_index);
    if (label[0]) json_string(json, "label", label);
    json_number(json, "score", (double)score);
    json_close_object(json);
}

void present_scores_text(const tmc_model *model, const present_tensor *tensor, int top) {
    visit_top(model, tensor, top, print_score, NULL);
}

void present_scores_json(json_writer *json, const tmc_model *model, const present_tensor *tensor, int top) {
    json_open_array(json, "top");
    visit_top(model, tensor, top, write_score, json);
    json_close_array(json);
}

static tmc_status write_npy(const char *path, const present_tensor *tensor, tmc_error *err) {
    npy_array array = {.dtype = tensor->info.dtype, .rank = tensor->info.rank, .bytes = tensor->info.bytes};
    boundary_dims_to_source(tensor->info.layout, tensor->info.rank, tensor->info.dims, array.dims);
    array.data = malloc(array.bytes);
    if (!array.data) return tmc_fail(err, TMC_E_NOMEM, "no memory for %zu bytes", array.bytes);
    boundary_data_to_source(&tensor->info, tensor->data, array.data);
    tmc_status status = npy_write(path, &array, err);
    npy_free(&array);
    return status;
}

static uint8_t grey_of_probability(float p) {
    return (uint8_t)(p > 0.0f ? p < 1.0f ? p * 255.0f + 0.5f : 255.0f : 0.0f); /* NaN: 0 */
}

static uint8_t grey_of_class(const float *data, size_t step, int32_t channels) {
    int32_t best = 0;
    for (int32_t c = 1; c < channels; c++)
        if (data[(size_t)c * step] > data[(size_t)best * step]) best = c;
    return (uint8_t)(best * 255 / (channels - 1));
}

static tmc_status write_mask(const char *path, const present_tensor *tensor, tmc_error *err) {
    const tmc_tensor_info *info = &tensor->info;
    bool last = tensor->picture_layout == TMC_LAYOUT_CHANNELS_LAST;
    io_image image;
    if (!numbers_of(tensor))
        return tmc_fail(err, TMC_E_DTYPE, "only f32 and quantised outputs can be written as a picture");
    if (info->rank != 4 || info->dims[0] != 1)
        return tmc_fail(err, TMC_E_SHAPE, "only an output of one image, rank 4, can be written as a picture");
    int32_t height = info->dims[last ? 1 : 2], width = info->dims[last ? 2 : 3], channels = info->dims[last ? 3 : 1];
    TMC_TRY(io_image_new(&image, width, height, 1, err));
    size_t pixels = (size_t)width * (size_t)height, step = last ? 1 : pixels;
    for (size_t i = 0; i < pixels; i++) {
        const float *at = numbers_of(tensor) + (last ? i * (size_t)channels : i);
        image.pixels[i] = channels == 1 ? grey_of_probability(*at) : grey_of_class(at, step, channels);
    }
    tmc_status status = io_image_write_png(path, &image, err);
    io_image_free(&image);
    return status;
}

tmc_status present_write(const char *path, const present_tensor *tensor, tmc_error *err) {
    size_t n = strlen(path);
    if (n > 4 && strcmp(path + n - 4, ".npy") == 0) return write_npy(path, tensor, err);
    if (n > 4 && strcmp(path + n - 4, ".png") == 0) return write_mask(path, tensor, err);
    return tmc_fail(err, TMC_E_ARG, "the output's name must end in .npy or .png");
}

void present_digest(const present_tensor *tensor, char hex[33]) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(tensor->data, tensor->info.bytes));
    cli_hex(canonical.digest, sizeof canonical.digest, hex);
}
