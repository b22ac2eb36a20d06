#include "io/preprocess.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Fixed-point weights as in Pillow: 32 - 8 - 2 bits, so that a sum of weighted 8-bit samples fits an int. */
#define WEIGHT_BITS 22

typedef struct {
    int32_t first, count;
} span;

/* Weights of the triangle filter for every output position; `weights` has `taps` entries per position. */
static void filter_weights(int32_t in, int32_t out, int32_t taps, span *spans, int32_t *weights) {
    double scale = (double)in / out, width = scale < 1.0 ? 1.0 : scale;
    for (int32_t i = 0; i < out; i++) {
        double centre = (i + 0.5) * scale, sum = 0.0;
        int32_t first = (int32_t)(centre - width + 0.5), last = (int32_t)(centre + width + 0.5);
        if (first < 0) first = 0;
        if (last > in) last = in;
        spans[i] = (span){first, last - first};
        for (int32_t k = first; k < last; k++) {
            double distance = fabs((k - centre + 0.5) / width);
            sum += distance < 1.0 ? 1.0 - distance : 0.0;
        }
        for (int32_t k = first; k < last; k++) {
            double distance = fabs((k - centre + 0.5) / width);
            double weight = (distance < 1.0 ? 1.0 - distance : 0.0) / sum;
            weights[(size_t)i * (size_t)taps + (size_t)(k - first)] = (int32_t)(weight * (1 << WEIGHT_BITS) + 0.5);
        }
    }
}

/* Resamples `lines` lines of `in` samples; sample s of line l lies at l * line + s * step. */
typedef struct {
    const uint8_t *from;
    uint8_t *to;
    size_t from_line, from_step, to_line, to_step;
    int32_t in, out, lines, channels;
} axis_job;

static tmc_status resize_axis(const axis_job *job, tmc_error *err) {
    double scale = (double)job->in / job->out;
    int32_t taps = (int32_t)ceil(scale < 1.0 ? 1.0 : scale) * 2 + 1;
    span *spans = malloc((size_t)job->out * sizeof *spans);
    int32_t *weights = calloc((size_t)job->out * (size_t)taps, sizeof *weights);
    if (!spans || !weights) {
        free(spans);
        free(weights);
        return tmc_fail(err, TMC_E_NOMEM, "no memory to resize an image");
    }
    filter_weights(job->in, job->out, taps, spans, weights);
    for (int32_t line = 0; line < job->lines; line++) {
        for (int32_t i = 0; i < job->out; i++) {
            for (int32_t c = 0; c < job->channels; c++) {
                const uint8_t *from =
                    job->from + (size_t)line * job->from_line + (size_t)spans[i].first * job->from_step + c;
                int32_t sum = 1 << (WEIGHT_BITS - 1);
                for (int32_t k = 0; k < spans[i].count; k++)
                    sum += weights[(size_t)i * (size_t)taps + (size_t)k] * from[(size_t)k * job->from_step];
                sum >>= WEIGHT_BITS;
                job->to[(size_t)line * job->to_line + (size_t)i * job->to_step + (size_t)c] =
                    (uint8_t)(sum < 0     ? 0
                              : sum > 255 ? 255
                                          : sum);
            }
        }
    }
    free(spans);
    free(weights);
    return TMC_OK;
}

tmc_status preprocess_resize_bilinear(const io_image *in, int32_t width, int32_t height, io_image *out,
                                      tmc_error *err) {
    io_image wide;
    size_t c = (size_t)in->channels;
    TMC_TRY(io_image_new(&wide, width, in->height, in->channels, err));
    axis_job across = {in->pixels, wide.pixels, (size_t)in->width * c, c, (size_t)width * c, c, in->width,
                       width,      in->height,  in->channels};
    tmc_status status = resize_axis(&across, err);
    if (!status) status = io_image_new(out, width, height, in->channels, err);
    if (!status) {
        axis_job down = {wide.pixels, out->pixels, c,     (size_t)width * c, c, (size_t)width * c,
                         in->height,  height,      width, in->channels};
        status = resize_axis(&down, err);
        if (status) io_image_free(out);
    }
    io_image_free(&wide);
    return status;
}

/* The steps are added up, as Pillow does: a product would round to another pixel now and then. */
static void nearest_positions(int32_t in, int32_t out, int32_t *positions) {
    double step = (double)in / out, at = step * 0.5;
    for (int32_t i = 0; i < out; i++, at += step) positions[i] = at < in ? (int32_t)at : in - 1;
}

tmc_status preprocess_resize_nearest(const io_image *in, int32_t width, int32_t height, io_image *out, tmc_error *err) {
    size_t c = (size_t)in->channels;
    TMC_TRY(io_image_new(out, width, height, in->channels, err));
    int32_t *columns = malloc(((size_t)width + (size_t)height) * sizeof *columns);
    if (!columns) {
        io_image_free(out);
        return tmc_fail(err, TMC_E_NOMEM, "no memory to resize an image");
    }
    int32_t *rows = columns + width;
    nearest_positions(in->width, width, columns);
    nearest_positions(in->height, height, rows);
    uint8_t *to = out->pixels;
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++, to += c)
            memcpy(to, in->pixels + ((size_t)rows[y] * (size_t)in->width + (size_t)columns[x]) * c, c);
    free(columns);
    return TMC_OK;
}

/* One number for all channels, or one for each of up to `most`; the last serves the rest. */
static tmc_status parse_channels(const tmc_model *model, const char *key, float fallback, int most, float out[4],
                                 tmc_error *err) {
    const char *text = tmc_model_metadata_get(model, key);
    bool more = text != NULL;
    for (int i = 0; i < 4; i++) out[i] = fallback;
    for (int i = 0; more; i++) {
        char *end;
        float value = strtof(text, &end);
        if (end == text || i == most || (*end && *end != ','))
            return tmc_fail(err, TMC_E_FORMAT, "metadata %s: expected up to %d numbers with commas between", key, most);
        if (!isfinite(value)) return tmc_fail(err, TMC_E_RANGE, "metadata %s is not finite", key);
        for (int k = i; k < 4; k++) out[k] = value;
        more = *end == ',';
        text = end + 1;
    }
    return TMC_OK;
}

static tmc_status parse_resize(const tmc_model *model, preprocess_resize *resize, tmc_error *err) {
    const char *text = tmc_model_metadata_get(model, "preprocess.resize");
    *resize = text && strcmp(text, "nearest") == 0 ? PREPROCESS_NEAREST : PREPROCESS_BILINEAR;
    if (text && strcmp(text, "nearest") && strcmp(text, "bilinear"))
        return tmc_fail(err, TMC_E_FORMAT, "metadata preprocess.resize is %s, expected bilinear or nearest", text);
    return TMC_OK;
}

tmc_status preprocess_from_model(const tmc_model *model, preprocess *p, tmc_error *err) {
    float scale[4];
    TMC_TRY(parse_resize(model, &p->resize, err));
    TMC_TRY(parse_channels(model, "preprocess.scale", 1.0f / 255.0f, 1, scale, err));
    TMC_TRY(parse_channels(model, "preprocess.mean", 0.0f, 4, p->mean, err));
    TMC_TRY(parse_channels(model, "preprocess.std", 1.0f, 4, p->std, err));
    p->scale = scale[0];
    for (int i = 0; i < 4; i++)
        if (p->std[i] == 0.0f) return tmc_fail(err, TMC_E_RANGE, "metadata preprocess.std must not be 0");
    return TMC_OK;
}

/* Luma as Pillow's convert("L"): ITU-R 601-2 in 16-bit fixed point. */
static uint8_t luma(const uint8_t *rgb) {
    return (uint8_t)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >> 16);
}

static uint8_t sample(const io_image *image, size_t pixel, int32_t channel, int32_t channels) {
    const uint8_t *at = image->pixels + pixel * (size_t)image->channels;
    if (image->channels == 1) return at[0];
    return channels == 1 ? luma(at) : at[channel];
}

tmc_status preprocess_image(const preprocess *p, const io_image *image, const tmc_tensor_info *info, float *data,
                            tmc_error *err) {
    bool last = info->layout == TMC_LAYOUT_CHANNELS_LAST;
    int32_t channels = info->rank == 4 ? info->dims[last ? 3 : 1] : 0;
    if (info->dtype != TMC_F32) return tmc_fail(err, TMC_E_DTYPE, "input %s is not f32; give a .npy file", info->name);
    if (info->rank != 4 || info->dims[0] != 1 || (channels != 1 && channels != 3))
        return tmc_fail(err, TMC_E_SHAPE, "input %s is not one image of 1 or 3 channels; give a .npy file", info->name);
    int32_t height = info->dims[last ? 1 : 2], width = info->dims[last ? 2 : 3];
    io_image resized = *image;
    bool same = image->width == width && image->height == height;
    if (!same) {
        TMC_TRY(p->resize == PREPROCESS_NEAREST ? preprocess_resize_nearest(image, width, height, &resized, err)
                                                : preprocess_resize_bilinear(image, width, height, &resized, err));
    }
    size_t pixels = (size_t)width * (size_t)height;
    for (size_t i = 0; i < pixels; i++)
        for (int32_t c = 0; c < channels; c++)
            data[last ? i * (size_t)channels + (size_t)c : (size_t)c * pixels + i] =
                ((float)sample(&resized, i, c, channels) * p->scale - p->mean[c]) / p->std[c];
    if (!same) io_image_free(&resized);
    return TMC_OK;
}
