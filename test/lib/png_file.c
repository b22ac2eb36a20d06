#include "lib/png_file.h"

#include <stdlib.h>
#include <string.h>

static void append(png_file *file, const void *data, size_t size) {
    file->bytes = realloc(file->bytes, file->size + size);
    if (size) memcpy(file->bytes + file->size, data, size);
    file->size += size;
}

static void big_endian(uint8_t *out, uint32_t value) {
    for (int i = 0; i < 4; i++) out[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t crc_of(const uint8_t *data, size_t size) {
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static uint32_t adler_of(const uint8_t *data, size_t size) {
    uint32_t a = 1, b = 0;
    for (size_t i = 0; i < size; i++) {
        a = (a + data[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

void png_start(png_file *file) {
    memset(file, 0, sizeof *file);
    append(file, "\x89PNG\r\n\x1a\n", 8);
}

void png_chunk(png_file *file, const char *type, const void *data, size_t size) {
    uint8_t length[4], crc[4] = {0};
    size_t at = file->size;
    big_endian(length, (uint32_t)size);
    append(file, length, 4);
    append(file, type, 4);
    append(file, data, size);
    append(file, crc, 4);
    png_seal(file, at);
}

void png_seal(png_file *file, size_t at) {
    const uint8_t *b = file->bytes + at;
    size_t size = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
    big_endian(file->bytes + at + 8 + size, crc_of(b + 4, size + 4));
}

void png_header(png_file *file, const png_format *format) {
    uint8_t header[13] = {[8] = format->depth, [9] = format->colour, [12] = format->interlaced};
    big_endian(header, format->width);
    big_endian(header + 4, format->height);
    png_chunk(file, "IHDR", header, sizeof header);
}

void png_lines(png_file *file, const uint8_t *lines, size_t size) {
    png_file stream = {NULL, 0};
    uint8_t adler[4];
    append(&stream, "\x78\x01", 2);
    for (size_t at = 0, n; at < size; at += n) {
        n = size - at > 65535 ? 65535 : size - at;
        const uint8_t block[5] = {at + n == size, (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)~n, (uint8_t)(~n >> 8)};
        append(&stream, block, 5);
        append(&stream, lines + at, n);
    }
    big_endian(adler, adler_of(lines, size));
    append(&stream, adler, 4);
    png_chunk(file, "IDAT", stream.bytes, stream.size);
    free(stream.bytes);
}

uint32_t png_samples(uint8_t colour) {
    return colour == PNG_RGB ? 3 : colour == PNG_GREY_ALPHA ? 2 : colour == PNG_RGB_ALPHA ? 4 : 1;
}

uint32_t png_sample(const png_format *format, uint32_t x, uint32_t y, uint32_t channel) {
    uint32_t mixed = (x * 2654435761u) ^ (y * 40503u * 65537u) ^ (channel * 2246822519u);
    return (mixed ^ mixed >> 15) & ((1u << format->depth) - 1);
}

/* One pass: every `step_x`-th pixel from x0 on, and so on. */
static void append_pass(png_file *lines, const png_format *f, uint32_t x0, uint32_t y0, uint32_t step_x,
                        uint32_t step_y) {
    uint32_t samples = png_samples(f->colour), columns = f->width > x0 ? (f->width - x0 + step_x - 1) / step_x : 0;
    size_t bytes = 1 + ((size_t)columns * samples * f->depth + 7) / 8;
    if (!columns) return;
    for (uint32_t y = y0; y < f->height; y += step_y) {
        uint8_t *line = calloc(1, bytes);
        size_t bit = 8;
        for (uint32_t x = x0; x < f->width; x += step_x)
            for (uint32_t c = 0; c < samples; c++)
                for (int i = f->depth - 1; i >= 0; i--, bit++)
                    line[bit / 8] |= (uint8_t)((png_sample(f, x, y, c) >> i & 1) << (7 - bit % 8));
        append(lines, line, bytes);
        free(line);
    }
}

uint8_t *png_picture(const png_format *format, size_t *size) {
    static const uint8_t adam7[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                        {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
    png_file lines = {NULL, 0};
    if (!format->interlaced) append_pass(&lines, format, 0, 0, 1, 1);
    for (int i = 0; format->interlaced && i < 7; i++)
        append_pass(&lines, format, adam7[i][0], adam7[i][1], adam7[i][2], adam7[i][3]);
    *size = lines.size;
    return lines.bytes;
}

png_file png_make(const png_format *format) {
    png_file file;
    size_t size;
    uint8_t palette[768], *lines = png_picture(format, &size);
    png_start(&file);
    png_header(&file, format);
    for (size_t i = 0; i < 256; i++) {
        palette[3 * i] = (uint8_t)i;
        palette[3 * i + 1] = (uint8_t)(255 - i);
        palette[3 * i + 2] = (uint8_t)(i ^ 0x55);
    }
    if (format->colour == PNG_PALETTE) png_chunk(&file, "PLTE", palette, (size_t)3 << format->depth);
    png_lines(&file, lines, size);
    png_chunk(&file, "IEND", NULL, 0);
    free(lines);
    return file;
}

void png_free(png_file *file) {
    free(file->bytes);
    memset(file, 0, sizeof *file);
}
