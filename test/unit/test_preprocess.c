/* Pictures into input tensors. The resized pixels are Pillow 11.3.0's: `source` as a uint8 array, then
 *     Image.fromarray(source).resize((width, height), Image.BILINEAR)    or Image.NEAREST, and .convert("L") for luma.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "io/boundary.h"
#include "io/preprocess.h"
#include "lib/graphs.h"

static io_image source(int32_t width, int32_t height, int32_t channels) {
    io_image image;
    tmc_error err;
    tmc_error_init(&err);
    assert_int_equal(io_image_new(&image, width, height, channels, &err), TMC_OK);
    for (int32_t i = 0; i < width * height * channels; i++) image.pixels[i] = (uint8_t)((i * 37 + i * i * 11) % 251);
    return image;
}

typedef struct {
    int32_t width, height, channels, to_width, to_height;
    uint8_t pixels[120];
} golden;

static const golden bilinear[] = {
    {7, 5, 1, 4, 3, {75, 170, 159, 115, 112, 134, 147, 130, 98, 162, 126, 165}},
    {7, 5, 1, 13, 9, {0,   15,  41,  75,  113, 160, 210, 136, 83,  157, 195, 145, 116, 15,  46,  99,  129,
                      149, 179, 212, 165, 127, 139, 140, 117, 104, 40,  97,  197, 219, 210, 212, 214, 214,
                      201, 108, 47,  71,  85,  98,  112, 138, 161, 183, 165, 139, 184, 213, 136, 83,  93,
                      98,  164, 119, 40,  67,  135, 98,  43,  135, 210, 178, 150, 131, 120, 132, 113, 81,
                      100, 139, 137, 128, 116, 108, 122, 141, 168, 183, 108, 107, 106, 124, 149, 171, 193,
                      108, 40,  86,  135, 193, 226, 117, 99,  69,  111, 183, 187, 180, 140, 108, 125, 145,
                      174, 190, 122, 95,  47,  104, 203, 196, 172, 160, 149, 148, 151, 163, 169}},
    {7, 5, 3, 4, 3, {120, 65,  147, 188, 105, 169, 105, 143, 175, 100, 110, 136, 117, 119, 141, 126, 92,  175,
                     158, 134, 159, 132, 107, 119, 126, 117, 154, 148, 64,  128, 95,  111, 116, 117, 126, 107}},
    {7, 5, 3, 9, 4, {27,  65,  125, 147, 62,  166, 179, 62,  189, 162, 96,  198, 219, 204, 211, 89,  126, 184,
                     34,  122, 127, 75,  131, 104, 186, 118, 135, 114, 105, 119, 141, 79,  136, 148, 88,  132,
                     149, 118, 132, 179, 118, 183, 168, 158, 193, 128, 169, 174, 106, 115, 160, 124, 9,   167,
                     85,  176, 143, 116, 154, 164, 129, 104, 166, 135, 57,  170, 170, 62,  227, 164, 107, 128,
                     128, 123, 81,  112, 123, 72,  134, 119, 84,  129, 90,  198, 136, 99,  126, 121, 87,  102,
                     119, 59,  126, 191, 36,  154, 77,  119, 93,  36,  172, 142, 93,  154, 154, 216, 71,  73}},
    {6, 4, 1, 6, 2, {53, 51, 180, 187, 144, 195, 117, 108, 157, 85, 142, 113}},
    {6, 4, 1, 3, 4, {37, 138, 151, 104, 208, 223, 67, 97, 83, 176, 119, 126}},
    {16, 11, 1, 1, 1, {127}},
    {1, 1, 3, 3, 2, {0, 48, 118, 0, 48, 118, 0, 48, 118, 0, 48, 118, 0, 48, 118, 0, 48, 118}},
    {23, 2, 1, 5, 3, {104, 151, 158, 104, 130, 116, 147, 155, 112, 116, 127, 143, 152, 119, 102}},
    {31, 29, 3, 2, 2, {128, 129, 129, 127, 129, 131, 130, 129, 127, 127, 130, 131}},
};

static const golden nearest[] = {
    {7, 5, 1, 4, 3, {0, 118, 73, 116, 164, 145, 214, 120, 122, 217, 149, 169}},
    {7, 5, 1, 13, 9, {0,   0,   48,  48,  118, 118, 210, 73,  73,  209, 209, 116, 116, 0,   0,   48,  48,
                      118, 118, 210, 73,  73,  209, 209, 116, 116, 45,  45,  247, 247, 220, 220, 215, 232,
                      232, 20,  20,  81,  81,  45,  45,  247, 247, 220, 220, 215, 232, 232, 20,  20,  81,
                      81,  164, 164, 18,  18,  145, 145, 43,  214, 214, 156, 156, 120, 120, 106, 106, 114,
                      114, 144, 144, 196, 19,  19,  115, 115, 233, 233, 106, 106, 114, 114, 144, 144, 196,
                      19,  19,  115, 115, 233, 233, 122, 122, 33,  33,  217, 217, 172, 149, 149, 148, 148,
                      169, 169, 122, 122, 33,  33,  217, 217, 172, 149, 149, 148, 148, 169, 169}},
};

typedef tmc_status (*resize_fn)(const io_image *, int32_t, int32_t, io_image *, tmc_error *);

static void expect_golden(const golden *g, resize_fn resize) {
    io_image in = source(g->width, g->height, g->channels), out;
    tmc_error err;
    tmc_error_init(&err);
    assert_int_equal(resize(&in, g->to_width, g->to_height, &out, &err), TMC_OK);
    assert_int_equal(out.width, g->to_width);
    assert_int_equal(out.height, g->to_height);
    assert_int_equal(out.channels, g->channels);
    assert_memory_equal(out.pixels, g->pixels, (size_t)(g->to_width * g->to_height * g->channels));
    io_image_free(&in);
    io_image_free(&out);
}

static void test_bilinear(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bilinear / sizeof *bilinear; i++)
        expect_golden(&bilinear[i], preprocess_resize_bilinear);
}

static void test_nearest(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof nearest / sizeof *nearest; i++) expect_golden(&nearest[i], preprocess_resize_nearest);
}

/* Where (position + 0.5) * in / out would be another pixel than the sum of steps. */
static void test_nearest_adds_steps(void **state) {
    (void)state;
    static const struct {
        int32_t in, out, position, pixel;
    } cases[] = {{18, 95, 47, 8},  {30, 95, 66, 20},   {32, 112, 80, 22},
                 {60, 45, 22, 29}, {100, 110, 93, 84}, {112, 74, 18, 27}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        io_image in, out;
        tmc_error err;
        tmc_error_init(&err);
        assert_int_equal(io_image_new(&in, cases[i].in, 1, 1, &err), TMC_OK);
        for (int32_t x = 0; x < cases[i].in; x++) in.pixels[x] = (uint8_t)x;
        assert_int_equal(preprocess_resize_nearest(&in, cases[i].out, 1, &out, &err), TMC_OK);
        assert_int_equal(out.pixels[cases[i].position], cases[i].pixel);
        io_image_free(&in);
        io_image_free(&out);
    }
}

static tmc_tensor_info tensor(tmc_layout layout, int32_t height, int32_t width, int32_t channels) {
    tmc_tensor_info info = {.struct_size = sizeof info, .name = "x", .dtype = TMC_F32, .rank = 4, .layout = layout};
    const int32_t last[4] = {1, height, width, channels}, first[4] = {1, channels, height, width};
    memcpy(info.dims, layout == TMC_LAYOUT_CHANNELS_LAST ? last : first, sizeof last);
    info.bytes = (size_t)(height * width * channels) * sizeof(float);
    return info;
}

static const preprocess plain = {PREPROCESS_BILINEAR, 1, {0, 0, 0, 0}, {1, 1, 1, 1}};

static void test_luma(void **state) {
    (void)state;
    static const uint8_t want[15] = {42, 129, 89, 218, 72, 95, 169, 115, 83, 145, 183, 168, 99, 53, 101};
    io_image in = source(5, 3, 3);
    tmc_tensor_info info = tensor(TMC_LAYOUT_PLAIN, 3, 5, 1);
    float data[15];
    tmc_error err;
    tmc_error_init(&err);
    assert_int_equal(preprocess_image(&plain, &in, &info, data, &err), TMC_OK);
    for (int i = 0; i < 15; i++) assert_true(data[i] == (float)want[i]);
    io_image_free(&in);
}

static void test_layouts_and_normalisation(void **state) {
    (void)state;
    const preprocess p = {PREPROCESS_NEAREST, 0.5f, {1, 2, 3, 0}, {2, -4, 0.25f, 1}};
    io_image in = source(5, 3, 3);
    float last[45], first[45];
    tmc_error err;
    tmc_error_init(&err);
    tmc_tensor_info info = tensor(TMC_LAYOUT_CHANNELS_LAST, 3, 5, 3);
    assert_int_equal(preprocess_image(&p, &in, &info, last, &err), TMC_OK);
    info = tensor(TMC_LAYOUT_PLAIN, 3, 5, 3);
    assert_int_equal(preprocess_image(&p, &in, &info, first, &err), TMC_OK);
    for (int i = 0; i < 15; i++)
        for (int c = 0; c < 3; c++) {
            float want = ((float)in.pixels[3 * i + c] * 0.5f - p.mean[c]) / p.std[c];
            assert_true(last[3 * i + c] == want && first[15 * c + i] == want);
        }
    io_image_free(&in);
}

static void test_grey_fills_all_channels(void **state) {
    (void)state;
    io_image in = source(5, 3, 1);
    tmc_tensor_info info = tensor(TMC_LAYOUT_CHANNELS_LAST, 3, 5, 3);
    float data[45];
    tmc_error err;
    tmc_error_init(&err);
    assert_int_equal(preprocess_image(&plain, &in, &info, data, &err), TMC_OK);
    for (int i = 0; i < 45; i++) assert_true(data[i] == (float)in.pixels[i / 3]);
    io_image_free(&in);
}

static void test_refused_tensors(void **state) {
    (void)state;
    io_image in = source(2, 2, 3);
    float data[64];
    tmc_error err;
    tmc_error_init(&err);
    tmc_tensor_info info = tensor(TMC_LAYOUT_PLAIN, 2, 2, 3);
    info.dtype = TMC_I8;
    assert_int_equal(preprocess_image(&plain, &in, &info, data, &err), TMC_E_DTYPE);
    info = tensor(TMC_LAYOUT_PLAIN, 2, 2, 4);
    assert_int_equal(preprocess_image(&plain, &in, &info, data, &err), TMC_E_SHAPE);
    info = tensor(TMC_LAYOUT_PLAIN, 2, 2, 3);
    info.dims[0] = 2;
    assert_int_equal(preprocess_image(&plain, &in, &info, data, &err), TMC_E_SHAPE);
    info = tensor(TMC_LAYOUT_PLAIN, 2, 2, 3);
    info.rank = 3;
    assert_int_equal(preprocess_image(&plain, &in, &info, data, &err), TMC_E_SHAPE);
    io_image_free(&in);
}

static tmc_status from_metadata(const char *key, const char *value, preprocess *p) {
    build *b = graph_classifier();
    tmc_error err;
    tmc_error_init(&err);
    if (key) build_metadata(b, key, value);
    tmc_model *model = graph_open(b, NULL);
    tmc_status status = preprocess_from_model(model, p, &err);
    tmc_model_release(&model);
    return status;
}

/* A source model with the channels last keeps its axes, and says so for pictures. */
static void test_picture_layout(void **state) {
    (void)state;
    static const char *const keys[] = {NULL, "source.layout", "source.layout"}, *const values[] = {"", "NHWC", "other"};
    static const tmc_layout wanted[] = {TMC_LAYOUT_PLAIN, TMC_LAYOUT_CHANNELS_LAST, TMC_LAYOUT_PLAIN};
    for (int i = 0; i < 3; i++) {
        const tmc_tensor_info plain_info = {.layout = TMC_LAYOUT_PLAIN}, last = {.layout = TMC_LAYOUT_CHANNELS_LAST};
        build *b = graph_classifier();
        if (keys[i]) build_metadata(b, keys[i], values[i]);
        tmc_model *model = graph_open(b, NULL);
        assert_int_equal(boundary_picture_layout(model, &plain_info), wanted[i]);
        assert_int_equal(boundary_picture_layout(model, &last), TMC_LAYOUT_CHANNELS_LAST);
        tmc_model_release(&model);
    }
}

static void test_metadata(void **state) {
    (void)state;
    preprocess p;
    assert_int_equal(from_metadata(NULL, NULL, &p), TMC_OK);
    assert_true(p.resize == PREPROCESS_BILINEAR && p.scale == 1.0f / 255 && p.mean[2] == 0 && p.std[3] == 1);
    assert_int_equal(from_metadata("preprocess.resize", "nearest", &p), TMC_OK);
    assert_int_equal(p.resize, PREPROCESS_NEAREST);
    assert_int_equal(from_metadata("preprocess.mean", "0.5", &p), TMC_OK);
    assert_true(p.mean[0] == 0.5f && p.mean[3] == 0.5f);
    assert_int_equal(from_metadata("preprocess.std", "1,2,-3", &p), TMC_OK);
    assert_true(p.std[0] == 1 && p.std[1] == 2 && p.std[2] == -3 && p.std[3] == -3);
}

static void test_bad_metadata(void **state) {
    (void)state;
    static const struct {
        const char *key, *value;
        tmc_status status;
    } cases[] = {
        {"preprocess.mean", "a", TMC_E_FORMAT},         {"preprocess.mean", "1,,2", TMC_E_FORMAT},
        {"preprocess.mean", "1,2,3,4,5", TMC_E_FORMAT}, {"preprocess.mean", "1,2,", TMC_E_FORMAT},
        {"preprocess.mean", "1 2", TMC_E_FORMAT},       {"preprocess.mean", "nan", TMC_E_RANGE},
        {"preprocess.mean", "1e99", TMC_E_RANGE},       {"preprocess.std", "0", TMC_E_RANGE},
        {"preprocess.std", "1,0,1", TMC_E_RANGE},       {"preprocess.std", "nan", TMC_E_RANGE},
        {"preprocess.scale", "inf", TMC_E_RANGE},       {"preprocess.resize", "lanczos", TMC_E_FORMAT},
        {"preprocess.scale", "1,2", TMC_E_FORMAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        preprocess p;
        tmc_status status = from_metadata(cases[i].key, cases[i].value, &p);
        if (status != cases[i].status) fail_msg("%s = %s: %s", cases[i].key, cases[i].value, tmc_status_name(status));
    }
}

static void test_impossible_sizes(void **state) {
    (void)state;
    io_image in = source(3, 3, 1), out;
    tmc_error err;
    tmc_error_init(&err);
    const int32_t sizes[][2] = {{0, 3}, {3, 0}, {-1, 3}, {INT32_MAX, INT32_MAX}, {1, INT32_MAX}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_int_equal(preprocess_resize_bilinear(&in, sizes[i][0], sizes[i][1], &out, &err), TMC_E_LIMIT);
        assert_int_equal(preprocess_resize_nearest(&in, sizes[i][0], sizes[i][1], &out, &err), TMC_E_LIMIT);
    }
    io_image_free(&in);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bilinear),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_nearest_adds_steps),
        cmocka_unit_test(test_luma),
        cmocka_unit_test(test_layouts_and_normalisation),
        cmocka_unit_test(test_grey_fills_all_channels),
        cmocka_unit_test(test_refused_tensors),
        cmocka_unit_test(test_picture_layout),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_bad_metadata),
        cmocka_unit_test(test_impossible_sizes),
    };
    return cmocka_run_group_tests_name("preprocess", tests, NULL, NULL);
}
