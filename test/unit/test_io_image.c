/* PNG pictures of every kind, and bad ones made from good ones. test_io_jpeg.c has the JPEGs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/image.h"
#include "lib/png_file.h"
#include "lib/random.h"
#include "lib/temp_file.h"

#if TMC_WITH_PNG

/* From a block of exactly `size` bytes, so that the sanitizers see a read behind it. */
static tmc_status decode(const uint8_t *bytes, size_t size, io_image *image, tmc_error *err) {
    uint8_t *copy = malloc(size ? size : 1);
    if (size) memcpy(copy, bytes, size);
    tmc_error_init(err);
    tmc_status status = io_image_decode(copy, size, image, err);
    free(copy);
    if (status) assert_null(image->pixels);
    return status;
}

static void expect(const char *what, const png_file *file, tmc_status want) {
    io_image image;
    tmc_error err;
    tmc_status status = decode(file->bytes, file->size, &image, &err);
    if (status == TMC_OK) io_image_free(&image);
    if (status != want)
        fail_msg("%s: %s (%s), expected %s", what, tmc_status_name(status), status ? err.message : "",
                 tmc_status_name(want));
}

static uint8_t expected_sample(const png_format *f, uint32_t x, uint32_t y, uint32_t channel) {
    if (f->colour == PNG_PALETTE) {
        uint32_t i = png_sample(f, x, y, 0);
        return (uint8_t)(channel == 0 ? i : channel == 1 ? 255 - i : i ^ 0x55);
    }
    uint32_t value = png_sample(f, x, y, f->colour == PNG_GREY || f->colour == PNG_GREY_ALPHA ? 0 : channel);
    return (uint8_t)(f->depth == 16 ? value >> 8 : value * 255 / ((1u << f->depth) - 1));
}

static const png_format kinds[] = {
    {13, 9, 1, PNG_GREY, 0},        {13, 9, 2, PNG_GREY, 0},      {13, 9, 4, PNG_GREY, 0},
    {13, 9, 8, PNG_GREY, 0},        {13, 9, 16, PNG_GREY, 0},     {13, 9, 8, PNG_RGB, 0},
    {13, 9, 16, PNG_RGB, 0},        {13, 9, 1, PNG_PALETTE, 0},   {13, 9, 2, PNG_PALETTE, 0},
    {13, 9, 4, PNG_PALETTE, 0},     {13, 9, 8, PNG_PALETTE, 0},   {13, 9, 8, PNG_GREY_ALPHA, 0},
    {13, 9, 16, PNG_GREY_ALPHA, 0}, {13, 9, 8, PNG_RGB_ALPHA, 0}, {13, 9, 16, PNG_RGB_ALPHA, 0},
};

static void expect_picture(const png_format *format) {
    io_image image;
    tmc_error err;
    png_file file = png_make(format);
    if (decode(file.bytes, file.size, &image, &err))
        fail_msg("depth %d colour %d interlaced %d: %s", format->depth, format->colour, format->interlaced,
                 err.message);
    assert_int_equal(image.width, format->width);
    assert_int_equal(image.height, format->height);
    assert_int_equal(image.channels, format->colour == PNG_GREY && format->depth <= 8 ? 1 : 3);
    const uint8_t *at = image.pixels;
    for (uint32_t y = 0; y < format->height; y++)
        for (uint32_t x = 0; x < format->width; x++)
            for (uint32_t c = 0; c < (uint32_t)image.channels; c++, at++)
                if (*at != expected_sample(format, x, y, c))
                    fail_msg("depth %d colour %d interlaced %d: pixel %u,%u,%u is %d, expected %d", format->depth,
                             format->colour, format->interlaced, x, y, c, *at, expected_sample(format, x, y, c));
    io_image_free(&image);
    png_free(&file);
}

static void test_every_kind(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        for (uint8_t interlaced = 0; interlaced <= 1; interlaced++) {
            png_format f = kinds[i];
            f.interlaced = interlaced;
            expect_picture(&f);
            f.width = 1; /* most of the seven passes are empty */
            f.height = 3;
            expect_picture(&f);
        }
    }
}

static void test_written_picture_reads_back(void **state) {
    (void)state;
    for (int32_t channels = 1; channels <= 3; channels += 2) {
        io_image image, back;
        tmc_error err;
        random_state r;
        tmc_error_init(&err);
        random_init(&r, 1);
        assert_int_equal(io_image_new(&image, 37, 21, channels, &err), TMC_OK);
        for (int32_t i = 0; i < 37 * 21 * channels; i++) image.pixels[i] = (uint8_t)random_u32(&r);
        temp_file t = temp_file_make("", 0);
        assert_int_equal(io_image_write_png(t.path, &image, &err), TMC_OK);
        assert_int_equal(io_image_read(t.path, &back, &err), TMC_OK);
        assert_int_equal(back.channels, channels);
        assert_memory_equal(back.pixels, image.pixels, (size_t)(37 * 21 * channels));
        temp_file_remove(&t);
        io_image_free(&image);
        io_image_free(&back);
    }
}

static void test_every_truncation(void **state) {
    (void)state;
    for (uint8_t interlaced = 0; interlaced <= 1; interlaced++) {
        png_format f = {7, 5, 8, PNG_PALETTE, interlaced};
        png_file file = png_make(&f);
        for (size_t size = 0; size < file.size; size++) {
            io_image image;
            tmc_error err;
            tmc_status want = size < 8 ? TMC_E_FORMAT : TMC_E_TRUNCATED;
            assert_int_equal(decode(file.bytes, size, &image, &err), want);
        }
        png_free(&file);
    }
}

/* CRCs cover types and data; a wrong length runs into a wrong CRC or the end. */
static void test_every_bit_flip(void **state) {
    (void)state;
    png_format f = {7, 5, 8, PNG_RGB, 0};
    png_file file = png_make(&f);
    for (size_t bit = 0; bit < 8 * file.size; bit++) {
        io_image image;
        tmc_error err;
        file.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (decode(file.bytes, file.size, &image, &err) == TMC_OK) fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
        file.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    png_free(&file);
}

static void test_wrong_crc(void **state) {
    (void)state;
    png_format f = {7, 5, 8, PNG_PALETTE, 0};
    png_file file = png_make(&f);
    const size_t text = file.size - 12;
    png_chunk(&file, "tEXt", "Comment\0x", 9);
    png_chunk(&file, "IEND", NULL, 0);
    memmove(file.bytes + text, file.bytes + text + 12, file.size - text - 12); /* the first IEND goes */
    file.size -= 12;
    expect("with a text chunk", &file, TMC_OK);
    for (size_t at = 8, n; at < file.size; at += 12 + n) {
        n = (size_t)file.bytes[at + 2] << 8 | file.bytes[at + 3];
        file.bytes[at + 8 + n] ^= 1;
        expect("CRC", &file, TMC_E_INTEGRITY);
        file.bytes[at + 8 + n] ^= 1;
    }
    png_free(&file);
}

static void test_absurd_sizes(void **state) {
    (void)state;
    static const struct {
        uint32_t width, height;
        tmc_status status;
    } sizes[] = {{0, 5, TMC_E_FORMAT},
                 {5, 0, TMC_E_FORMAT},
                 {0x7fffffff, 1, TMC_E_LIMIT},
                 {1, 0x7fffffff, TMC_E_LIMIT},
                 {0x7fffffff, 0x7fffffff, TMC_E_LIMIT},
                 {0xffffffff, 1, TMC_E_FORMAT},
                 {65535, 65535, TMC_E_LIMIT},
                 {65536, 1, TMC_E_LIMIT}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        png_format f = {sizes[i].width, sizes[i].height, 8, PNG_RGB, 0};
        const uint8_t line[4] = {0};
        png_file file;
        char what[64];
        snprintf(what, sizeof what, "%u x %u", f.width, f.height);
        png_start(&file);
        png_header(&file, &f);
        png_lines(&file, line, sizeof line);
        png_chunk(&file, "IEND", NULL, 0);
        expect(what, &file, sizes[i].status);
        png_free(&file);
    }
}

/* Chunks in the order of the text: H header, P palette of 4, Q palette of 257, R palette of 5 bytes, D pixels, L a line
 * too few, F filter 5, 9 palette index 9, A wrong Adler, Z wrong zlib header, X unknown critical, x unknown ancillary,
 * T 2 MiB of text, c an animation's control, E end, ! trailing byte. */
static png_file from_recipe(const char *recipe, const png_format *f) {
    png_file file;
    size_t size;
    uint8_t *lines = png_picture(f, &size), palette[771] = {0};
    char *text = calloc(1, 2 << 20);
    memset(text, 'a', 2 << 20);
    memcpy(text, "Comment", 8);
    png_start(&file);
    for (; *recipe; recipe++) {
        size_t at = file.size;
        switch (*recipe) {
        case 'H': png_header(&file, f); break;
        case 'P': png_chunk(&file, "PLTE", palette, 12); break;
        case 'Q': png_chunk(&file, "PLTE", palette, 771); break;
        case 'R': png_chunk(&file, "PLTE", palette, 5); break;
        case 'L': png_lines(&file, lines, size / f->height * (f->height - 1)); break;
        case 'F':
            lines[0] = 5;
            png_lines(&file, lines, size);
            break;
        case '9':
            lines[1] = 9;
            png_lines(&file, lines, size);
            break;
        case 'A':
            png_lines(&file, lines, size);
            file.bytes[file.size - 5] ^= 1;
            png_seal(&file, at);
            break;
        case 'Z':
            png_lines(&file, lines, size);
            file.bytes[at + 8] = 0x77;
            png_seal(&file, at);
            break;
        case 'X': png_chunk(&file, "ABCD", "x", 1); break;
        case 'x': png_chunk(&file, "abCd", "x", 1); break;
        case 'T': png_chunk(&file, "tEXt", text, 2 << 20); break;
        case 'c': png_chunk(&file, "acTL", "\0\0\0\2\0\0\0\0", 8); break;
        case 'E': png_chunk(&file, "IEND", NULL, 0); break;
        case '!':
            file.bytes = realloc(file.bytes, file.size + 1);
            file.bytes[file.size++] = 0;
            break;
        default: png_lines(&file, lines, size);
        }
    }
    free(lines);
    free(text);
    return file;
}

static void test_structure(void **state) {
    (void)state;
    static const png_format grey = {4, 3, 8, PNG_GREY, 0}, palette = {4, 3, 2, PNG_PALETTE, 0},
                            wide_palette = {4, 3, 8, PNG_PALETTE, 0}, depth_3 = {4, 3, 3, PNG_GREY, 0},
                            colour_1 = {4, 3, 8, 1, 0}, rgb_4 = {4, 3, 4, PNG_RGB, 0}, pass_2 = {4, 3, 8, PNG_GREY, 2};
    static const struct {
        const char *what, *recipe;
        const png_format *format;
        tmc_status status;
    } cases[] = {
        {"plain", "HDE", &grey, TMC_OK},
        {"palette", "HPDE", &palette, TMC_OK},
        {"unknown ancillary chunks", "HxDxE", &grey, TMC_OK},
        {"first picture of an animation", "HcDE", &grey, TMC_OK},
        {"no header", "DE", &grey, TMC_E_FORMAT},
        {"header not first", "xHDE", &grey, TMC_E_FORMAT},
        {"two headers", "HHDE", &grey, TMC_E_FORMAT},
        {"no pixels", "HE", &grey, TMC_E_FORMAT},
        {"no palette", "HDE", &palette, TMC_E_FORMAT},
        {"palette behind the pixels", "HDPE", &palette, TMC_E_FORMAT},
        {"palette of 257", "HQDE", &wide_palette, TMC_E_FORMAT},
        {"palette of 5 bytes", "HRDE", &palette, TMC_E_FORMAT},

        {"two palettes", "HPPDE", &palette, TMC_E_FORMAT},
        {"palette index outside", "HP9E", &wide_palette, TMC_E_FORMAT},
        {"unknown critical chunk", "HXDE", &grey, TMC_E_FORMAT},
        {"unknown critical chunk behind the pixels", "HDXE", &grey, TMC_E_FORMAT},
        {"two streams of pixels", "HDxDE", &grey, TMC_E_FORMAT},
        {"a line too few", "HLE", &grey, TMC_E_TRUNCATED},
        {"filter 5", "HFE", &grey, TMC_E_FORMAT},
        {"wrong zlib header", "HZE", &grey, TMC_E_INTEGRITY},
        {"depth 3", "HDE", &depth_3, TMC_E_FORMAT},
        {"colour type 1", "HDE", &colour_1, TMC_E_FORMAT},
        {"RGB of 4 bits", "HDE", &rgb_4, TMC_E_FORMAT},
        {"interlace method 2", "HDE", &pass_2, TMC_E_FORMAT},
        {"trailing byte", "HDE!", &grey, TMC_E_FORMAT},
        {"second picture behind", "HDEHDE", &grey, TMC_E_FORMAT},
        {"2 MiB of text, skipped", "HTDE", &grey, TMC_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        png_file file = from_recipe(cases[i].recipe, cases[i].format);
        expect(cases[i].what, &file, cases[i].status);
        png_free(&file);
    }
}

static void test_wrong_adler(void **state) {
    (void)state;
    static const png_format grey = {4, 3, 8, PNG_GREY, 0};
    png_file file = from_recipe("HAE", &grey);
    expect("Adler", &file, TMC_E_INTEGRITY);
    png_free(&file);
}

static void test_too_many_chunks(void **state) {
    (void)state;
    enum { COUNT = 70000 };
    png_format f = {4, 3, 8, PNG_GREY, 0};
    png_file file = from_recipe("H", &f), rest = from_recipe("DE", &f);
    file.bytes = realloc(file.bytes, file.size + (size_t)COUNT * 12 + rest.size);
    png_file one = from_recipe("", &f);
    png_chunk(&one, "abCd", NULL, 0);
    for (int i = 0; i < COUNT; i++, file.size += 12) memcpy(file.bytes + file.size, one.bytes + 8, 12);
    memcpy(file.bytes + file.size, rest.bytes + 8, rest.size - 8);
    file.size += rest.size - 8;
    expect("70000 chunks", &file, TMC_E_LIMIT);
    png_free(&file);
    png_free(&rest);
    png_free(&one);
}

/* With repaired CRCs the damage reaches the decoder's inner parts. */
static void test_random_damage(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 3);
    for (int i = 0; i < 3000; i++) {
        png_format f = kinds[random_int(&r, 0, (int32_t)(sizeof kinds / sizeof *kinds) - 1)];
        f.interlaced = (uint8_t)(i & 1);
        png_file file = png_make(&f);
        io_image image;
        tmc_error err;
        for (int k = 0; k < 3; k++) file.bytes[random_int(&r, 16, (int32_t)file.size - 1)] = (uint8_t)random_u32(&r);
        for (size_t at = 8; at + 12 <= file.size;) {
            size_t n = (size_t)file.bytes[at] << 24 | (size_t)file.bytes[at + 1] << 16 |
                       (size_t)file.bytes[at + 2] << 8 | file.bytes[at + 3];
            if (n > file.size - at - 12) break;
            png_seal(&file, at);
            at += 12 + n;
        }
        if (decode(file.bytes, file.size, &image, &err) == TMC_OK) io_image_free(&image);
        png_free(&file);
    }
}

static void test_other_files(void **state) {
    (void)state;
    io_image image;
    tmc_error err;
    assert_int_equal(decode((const uint8_t *)"", 0, &image, &err), TMC_E_FORMAT);
    assert_int_equal(decode((const uint8_t *)"GIF89a..........", 16, &image, &err), TMC_E_FORMAT);
    assert_int_equal(io_image_read("/nonexistent.png", &image, &err), TMC_E_IO);
    assert_null(image.pixels);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind),       cmocka_unit_test(test_written_picture_reads_back),
        cmocka_unit_test(test_every_truncation), cmocka_unit_test(test_every_bit_flip),
        cmocka_unit_test(test_wrong_crc),        cmocka_unit_test(test_absurd_sizes),
        cmocka_unit_test(test_structure),        cmocka_unit_test(test_wrong_adler),
        cmocka_unit_test(test_too_many_chunks),  cmocka_unit_test(test_random_damage),
        cmocka_unit_test(test_other_files),
    };
    return cmocka_run_group_tests_name("io_image", tests, NULL, NULL);
}
#else
int main(void) {
    puts("SKIPPED: built without PNG");
    return 0;
}
#endif
