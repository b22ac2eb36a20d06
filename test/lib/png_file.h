/* Makes PNG files chunk by chunk, right or wrong ones. Pixels are stored, not compressed, so that every byte is known.
 */
#ifndef TMC_TEST_PNG_FILE_H
#define TMC_TEST_PNG_FILE_H

#include <stddef.h>
#include <stdint.h>

typedef struct png_file {
    uint8_t *bytes; /* malloc'd */
    size_t size;
} png_file;

enum { PNG_GREY = 0, PNG_RGB = 2, PNG_PALETTE = 3, PNG_GREY_ALPHA = 4, PNG_RGB_ALPHA = 6 };

typedef struct png_format {
    uint32_t width, height;
    uint8_t depth, colour, interlaced; /* interlaced: 0 or 1 (Adam7) */
} png_format;

void png_start(png_file *file); /* the signature */
/* With its length and CRC. */
void png_chunk(png_file *file, const char *type, const void *data, size_t size);
void png_header(png_file *file, const png_format *format);
/* The zlib stream of `size` bytes of scan lines in one IDAT. */
void png_lines(png_file *file, const uint8_t *lines, size_t size);

/* Samples per pixel of a colour type. */
uint32_t png_samples(uint8_t colour);
/* The sample that the functions below give pixel x, y. */
uint32_t png_sample(const png_format *format, uint32_t x, uint32_t y, uint32_t channel);
/* Scan lines of a whole picture, passes included, each with filter 0; malloc'd. */
uint8_t *png_picture(const png_format *format, size_t *size);
/* A whole file; a palette has 2^depth entries of colour (i, 255 - i, i ^ 0x55). */
png_file png_make(const png_format *format);
void png_free(png_file *file);
/* Repairs the CRC of the chunk that begins (with its length) at byte `at`. */
void png_seal(png_file *file, size_t at);

#endif
