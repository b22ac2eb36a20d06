/* JPEG pictures: good ones of every kind, and bad ones made from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/exif.h"
#include "io/image.h"

#if TMC_WITH_JPEG
#include <jpeglib.h>

enum { WIDTH = 19, HEIGHT = 13 };

typedef struct {
    const char *what;
    J_COLOR_SPACE space;
    int components, progressive, sampling, restart, separate_scans;
} kind;

static const kind kinds[] = {
    {"grey", JCS_GRAYSCALE, 1, 0, 1, 0, 0},
    {"colour 4:4:4", JCS_RGB, 3, 0, 1, 0, 0},
    {"colour 4:2:0", JCS_RGB, 3, 0, 2, 0, 0},
    {"progressive", JCS_RGB, 3, 1, 2, 0, 0},
    {"progressive grey", JCS_GRAYSCALE, 1, 1, 1, 0, 0},
    {"restarts", JCS_RGB, 3, 0, 1, 1, 0},
    {"a scan for each component", JCS_RGB, 3, 0, 1, 0, 1},
};

typedef struct {
    uint8_t *bytes;
    size_t size;
} jpeg_file;

/* A picture of one colour: 200, 100, 50 (grey: 200). */
static jpeg_file make(const kind *k) {
    static const jpeg_scan_info scans[3] = {{1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL, line[WIDTH * 4];
    unsigned long size = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &size);
    jpeg.image_width = WIDTH;
    jpeg.image_height = HEIGHT;
    jpeg.input_components = k->components;
    jpeg.in_color_space = k->space;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 95, TRUE);
    jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = k->sampling;
    jpeg.restart_interval = (unsigned)k->restart;
    if (k->progressive) jpeg_simple_progression(&jpeg);
    if (k->separate_scans) {
        jpeg.scan_info = scans;
        jpeg.num_scans = 3;
    }
    jpeg_start_compress(&jpeg, TRUE);
    for (int i = 0; i < WIDTH * k->components; i++) line[i] = (unsigned char)(200 >> i % k->components);
    while (jpeg.next_scanline < HEIGHT) {
        JSAMPROW row = line;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return (jpeg_file){bytes, size};
}

static tmc_status decode(const uint8_t *bytes, size_t size, io_image *image) {
    tmc_error err;
    uint8_t *copy = malloc(size ? size : 1);
    if (size) memcpy(copy, bytes, size);
    tmc_error_init(&err);
    tmc_status status = io_image_decode(copy, size, image, &err);
    free(copy);
    if (status) {
        assert_null(image->pixels);
        assert_true(err.message[0]);
    }
    return status;
}

static void expect(const char *what, const jpeg_file *file, tmc_status want) {
    io_image image;
    tmc_status status = decode(file->bytes, file->size, &image);
    if (status == TMC_OK) io_image_free(&image);
    if (status != want) fail_msg("%s: %s, expected %s", what, tmc_status_name(status), tmc_status_name(want));
}

/* `bytes` come in at `at`. */
static void insert(jpeg_file *file, size_t at, const void *bytes, size_t size) {
    file->bytes = realloc(file->bytes, file->size + size);
    memmove(file->bytes + at + size, file->bytes + at, file->size - at);
    memcpy(file->bytes + at, bytes, size);
    file->size += size;
}

/* Offset of the last or first marker 0xff `code`. */
static size_t find(const jpeg_file *file, uint8_t code, int last) {
    size_t found = 0;
    for (size_t i = 0; i + 1 < file->size && (last || !found); i++)
        if (file->bytes[i] == 0xff && file->bytes[i + 1] == code) found = i;
    assert_true(found);
    return found;
}

static void test_every_kind(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        jpeg_file file = make(&kinds[i]);
        io_image image;
        assert_int_equal(decode(file.bytes, file.size, &image), TMC_OK);
        assert_int_equal(image.width, WIDTH);
        assert_int_equal(image.height, HEIGHT);
        assert_int_equal(image.channels, kinds[i].components);
        for (int p = 0; p < WIDTH * HEIGHT * image.channels; p++)
            if (abs(image.pixels[p] - (200 >> p % image.channels)) > 2)
                fail_msg("%s: sample %d is %d", kinds[i].what, p, image.pixels[p]);
        io_image_free(&image);
        free(file.bytes);
    }
}

static void test_every_truncation(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        jpeg_file file = make(&kinds[i]);
        for (size_t size = 0; size < file.size; size++) {
            io_image image;
            tmc_status status = decode(file.bytes, size, &image), want = size < 3 ? TMC_E_FORMAT : TMC_E_TRUNCATED;
            if (status != want)
                fail_msg("%s: %zu of %zu bytes: %s", kinds[i].what, size, file.size, tmc_status_name(status));
        }
        free(file.bytes);
    }
}

/* JPEG has no checksum: some damage stays unseen, but none may crash. */
static void test_every_byte(void **state) {
    (void)state;
    static const uint8_t values[] = {0, 1, 0x40, 0x7f, 0xd9, 0xff};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        jpeg_file file = make(&kinds[i]);
        for (size_t at = 0; at < file.size; at++) {
            uint8_t old = file.bytes[at];
            /* A size of thousands of pixels would only cost time. */
            size_t frame = find(&file, kinds[i].progressive ? 0xc2 : 0xc0, 0);
            for (size_t v = 0; v < sizeof values && (at < frame + 5 || at > frame + 8); v++) {
                io_image image;
                file.bytes[at] = values[v];
                if (decode(file.bytes, file.size, &image) == TMC_OK) io_image_free(&image);
            }
            file.bytes[at] = old;
        }
        free(file.bytes);
    }
}

/* One byte of the frame header changed. */
static void test_frame_header(void **state) {
    (void)state;
    static const struct {
        const char *what;
        size_t at; /* from the marker */
        uint8_t bytes[4];
        size_t count;
        tmc_status status;
    } cases[] = {
        {"12 bits", 4, {12}, 1, TMC_E_UNSUPPORTED},
        {"height 0", 5, {0, 0}, 2, TMC_E_FORMAT},
        {"width 0", 7, {0, 0}, 2, TMC_E_FORMAT},
        {"65500 x 65500", 5, {0xff, 0xdc, 0xff, 0xdc}, 4, TMC_E_LIMIT},
        {"65535 x 65535", 5, {0xff, 0xff, 0xff, 0xff}, 4, TMC_E_LIMIT},
        {"no components", 9, {0}, 1, TMC_E_FORMAT},
        {"200 components", 9, {200}, 1, TMC_E_FORMAT},
        {"sampling 0", 11, {0}, 1, TMC_E_FORMAT},
        {"sampling 5 x 5", 11, {0x55}, 1, TMC_E_FORMAT},
        {"quantisation table 3", 12, {3}, 1, TMC_E_FORMAT},
        {"lossless", 1, {0xc3}, 1, TMC_E_UNSUPPORTED},
        {"hierarchical", 1, {0xc5}, 1, TMC_E_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        jpeg_file file = make(&kinds[1]);
        memcpy(file.bytes + find(&file, 0xc0, 0) + cases[i].at, cases[i].bytes, cases[i].count);
        expect(cases[i].what, &file, cases[i].status);
        free(file.bytes);
    }
}

static void test_wrong_parts(void **state) {
    (void)state;
    jpeg_file file = make(&kinds[5]);
    file.bytes[find(&file, 0xd1, 0) + 1] = 0xd4;
    expect("restart marker out of turn", &file, TMC_E_FORMAT);
    free(file.bytes);
    file = make(&kinds[1]);
    memset(file.bytes + find(&file, 0xc4, 0) + 5, 0xff, 16);
    expect("Huffman table with too many codes", &file, TMC_E_FORMAT);
    free(file.bytes);
    file = make(&kinds[1]);
    insert(&file, file.size, "\0", 1);
    expect("trailing byte", &file, TMC_E_FORMAT);
    free(file.bytes);
    file = make(&(kind){"CMYK", JCS_CMYK, 4, 0, 1, 0, 0});
    expect("CMYK", &file, TMC_E_UNSUPPORTED);
    free(file.bytes);
}

static void test_too_many_scans(void **state) {
    (void)state;
    for (int copies = 50; copies <= 5000; copies *= 100) {
        jpeg_file file = make(&kinds[6]);
        size_t scan = find(&file, 0xda, 1), bytes = file.size - 2 - scan;
        uint8_t *copy = malloc(bytes);
        memcpy(copy, file.bytes + scan, bytes);
        for (int i = 0; i < copies; i++) insert(&file, file.size - 2, copy, bytes);
        expect("repeated scans", &file, copies == 50 ? TMC_OK : TMC_E_LIMIT);
        free(copy);
        free(file.bytes);
    }
}

#define EXIF_LITTLE "Exif\0\0II*\0\10\0\0\0"
#define EXIF_BIG "Exif\0\0MM\0*\0\0\0\10"

static void test_turned_by_exif(void **state) {
    (void)state;
    for (uint8_t orientation = 0; orientation <= 9; orientation++) {
        uint8_t segment[4 + 6 + 8 + 2 + 12 + 4] = {0xff, 0xe1, 0, 2 + 6 + 8 + 2 + 12 + 4};
        memcpy(segment + 4, EXIF_LITTLE "\1\0\x12\1\3\0\1\0\0\0", 6 + 8 + 2 + 8);
        segment[4 + 6 + 8 + 2 + 8] = orientation;
        jpeg_file file = make(&kinds[2]);
        insert(&file, 2, segment, sizeof segment);
        expect("orientation", &file, orientation > 1 && orientation < 9 ? TMC_E_UNSUPPORTED : TMC_OK);
        free(file.bytes);
    }
}

static int orientation_of(const char *block, size_t size) {
    uint8_t *copy = malloc(size ? size : 1); /* no byte more: the sanitizers see a read behind it */
    if (size) memcpy(copy, block, size);
    int orientation = exif_orientation(copy, size);
    free(copy);
    return orientation;
}

static void test_exif_blocks(void **state) {
    (void)state;
    static const char little[] = EXIF_LITTLE "\2\0\x0f\1\2\0\1\0\0\0A\0\0\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0";
    static const char big[] = EXIF_BIG "\0\1\1\x12\0\3\0\0\0\1\0\10\0\0\0\0\0\0";
    static const char far[] = "Exif\0\0II*\0\xff\xff\xff\xff\1\0\x12\1\3\0\1\0\0\0\6\0\0\0";
    static const char many[] = EXIF_LITTLE "\xff\xff\x0f\1\2\0\1\0\0\0A\0\0\0";
    static const char xmp[] = "http://ns.adobe.com/xap/1.0/";
    assert_int_equal(orientation_of(little, sizeof little - 1), 6);
    assert_int_equal(orientation_of(big, sizeof big - 1), 8);
    assert_int_equal(orientation_of(far, sizeof far - 1), 1);
    assert_int_equal(orientation_of(many, sizeof many - 1), 1);
    assert_int_equal(orientation_of(xmp, sizeof xmp - 1), 1);
    for (size_t size = 0; size < 6 + 8 + 2 + 24; size++) assert_int_equal(orientation_of(little, size), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind),     cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_byte),     cmocka_unit_test(test_frame_header),
        cmocka_unit_test(test_wrong_parts),    cmocka_unit_test(test_too_many_scans),
        cmocka_unit_test(test_turned_by_exif), cmocka_unit_test(test_exif_blocks),
    };
    return cmocka_run_group_tests_name("io_jpeg", tests, NULL, NULL);
}
#else
int main(void) {
    puts("SKIPPED: built without JPEG");
    return 0;
}
#endif
