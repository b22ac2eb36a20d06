#include "io/image.h"

#if TMC_WITH_JPEG
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "io/exif.h"

#define MAX_SCANS 100 /* a progressive file of 10^4 scans is a denial of service, not a picture */

typedef struct {
    struct jpeg_error_mgr base;
    jmp_buf escape;
    tmc_status status;
    char text[JMSG_LENGTH_MAX];
} jpeg_trap;

static tmc_status status_of(int message) {
    switch (message) {
    case JWRN_JPEG_EOF:
    case JERR_INPUT_EOF: return TMC_E_TRUNCATED;
    case JERR_IMAGE_TOO_BIG: return TMC_E_LIMIT;
    case JERR_OUT_OF_MEMORY: return TMC_E_NOMEM;
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CCIR601_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_SOF_UNSUPPORTED: return TMC_E_UNSUPPORTED;
    default: return TMC_E_FORMAT;
    }
}

static void on_error(j_common_ptr jpeg) {
    jpeg_trap *trap = (jpeg_trap *)jpeg->err;
    trap->base.format_message(jpeg, trap->text);
    trap->status = status_of(jpeg->err->msg_code);
    longjmp(trap->escape, 1);
}

/* Warnings mean damaged data that libjpeg would paint over: refused. */
static void on_message(j_common_ptr jpeg, int level) {
    if (level < 0) on_error(jpeg);
}

static void on_progress(j_common_ptr jpeg) {
    jpeg_trap *trap = (jpeg_trap *)jpeg->err;
    if (jpeg->is_decompressor && ((j_decompress_ptr)jpeg)->input_scan_number > MAX_SCANS) {
        memcpy(trap->text, "too many scans", 15);
        trap->status = TMC_E_LIMIT;
        longjmp(trap->escape, 1);
    }
}

static void read_rows(struct jpeg_decompress_struct *jpeg, io_image *image) {
    jpeg->out_color_space = jpeg->num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg->dct_method = JDCT_ISLOW;
    jpeg_start_decompress(jpeg);
    size_t stride = (size_t)jpeg->output_width * (size_t)jpeg->output_components;
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = image->pixels + stride * jpeg->output_scanline;
        jpeg_read_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_decompress(jpeg);
}

/* Most libraries that train models ignore the turn, most viewers do not: a picture that needs one is ambiguous. */
static tmc_status check_upright(const struct jpeg_decompress_struct *jpeg, tmc_error *err) {
    for (const struct jpeg_marker_struct *m = jpeg->marker_list; m; m = m->next) {
        int orientation = exif_orientation(m->data, m->data_length);
        if (orientation != 1)
            return tmc_fail(err, TMC_E_UNSUPPORTED, "JPEG with EXIF orientation %d: turn it and save it upright",
                            orientation);
    }
    return TMC_OK;
}

/* Leaves through the trap where libjpeg complains. */
static tmc_status decode(struct jpeg_decompress_struct *jpeg, io_image *image, tmc_error *err) {
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(jpeg, TRUE);
    TMC_TRY(check_upright(jpeg, err));
    if (jpeg->num_components != 1 && jpeg->num_components != 3)
        return tmc_fail(err, TMC_E_UNSUPPORTED, "JPEG with %d components, expected grey or colour",
                        jpeg->num_components);
    TMC_TRY(io_image_new(image, (int32_t)jpeg->image_width, (int32_t)jpeg->image_height, jpeg->num_components, err));
    read_rows(jpeg, image);
    if (jpeg->src->bytes_in_buffer)
        return tmc_fail(err, TMC_E_FORMAT, "JPEG: %zu bytes behind the picture", jpeg->src->bytes_in_buffer);
    return TMC_OK;
}

tmc_status io_jpeg_decode(const uint8_t *bytes, size_t size, io_image *image, tmc_error *err) {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_progress_mgr progress = {.progress_monitor = on_progress};
    jpeg_trap trap;
    volatile tmc_status status;
    memset(&jpeg, 0, sizeof jpeg); /* may be destroyed before it is created */
    jpeg.err = jpeg_std_error(&trap.base);
    trap.base.error_exit = on_error;
    trap.base.emit_message = on_message;
    if (setjmp(trap.escape)) {
        status = tmc_fail(err, trap.status, "JPEG: %s", trap.text);
    } else {
        jpeg_create_decompress(&jpeg);
        jpeg.progress = &progress;
        jpeg_mem_src(&jpeg, bytes, (unsigned long)size);
        status = decode(&jpeg, image, err);
    }
    jpeg_destroy_decompress(&jpeg);
    return status;
}
#else
tmc_status io_jpeg_decode(const uint8_t *bytes, size_t size, io_image *image, tmc_error *err) {
    (void)bytes, (void)size, (void)image;
    return tmc_fail(err, TMC_E_UNSUPPORTED, "built without JPEG: install libjpeg62-turbo-dev and build again");
}
#endif
