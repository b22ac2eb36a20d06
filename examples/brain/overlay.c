#include "overlay.h"

#include <stdbool.h>
#include <stddef.h>

enum { ZOOM = 2 };

/* A voxel of the mask with a neighbour in the slice that is not. */
static bool on_outline(const io_volume *head, const unsigned char *slice, int32_t x, int32_t y) {
    static const int32_t step[4][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}};
    if (!slice[(size_t)y * (size_t)head->nx + (size_t)x]) return false;
    for (int i = 0; i < 4; i++) {
        int32_t nx = x + step[i][0], ny = y + step[i][1];
        if (nx < 0 || ny < 0 || nx >= head->nx || ny >= head->ny) return true;
        if (!slice[(size_t)ny * (size_t)head->nx + (size_t)nx]) return true;
    }
    return false;
}

static void draw_voxel(io_image *picture, int32_t left, int32_t top, const uint8_t colour[3]) {
    for (int32_t dy = 0; dy < ZOOM; dy++)
        for (int32_t dx = 0; dx < ZOOM; dx++) {
            uint8_t *at = picture->pixels + 3 * ((size_t)(top + dy) * (size_t)picture->width + (size_t)(left + dx));
            for (int i = 0; i < 3; i++) at[i] = colour[i];
        }
}

static void draw_slice(const io_volume *head, const unsigned char *mask, const unsigned char *reference, int32_t z,
                       int32_t left, io_image *picture) {
    size_t first = (size_t)z * (size_t)head->nx * (size_t)head->ny;
    for (int32_t y = 0; y < head->ny; y++)
        for (int32_t x = 0; x < head->nx; x++) {
            uint8_t grey = (uint8_t)(head->voxels[first + (size_t)y * (size_t)head->nx + (size_t)x] * 255.0f);
            uint8_t colour[3] = {grey, grey, grey};
            bool answer = on_outline(head, mask + first, x, y);
            bool truth = reference && on_outline(head, reference + first, x, y);
            if (answer || truth) {
                colour[0] = answer ? 255 : 0;
                colour[1] = truth ? 220 : 0;
                colour[2] = 0;
            }
            draw_voxel(picture, left + x * ZOOM, (head->ny - 1 - y) * ZOOM, colour);
        }
}

tmc_status overlay_draw(const io_volume *head, const unsigned char *mask, const unsigned char *reference,
                        const int32_t *slices, int32_t slice_count, io_image *picture, tmc_error *err) {
    TMC_TRY(io_image_new(picture, head->nx * ZOOM * slice_count, head->ny * ZOOM, 3, err));
    for (int32_t i = 0; i < slice_count; i++)
        draw_slice(head, mask, reference, slices[i], i * head->nx * ZOOM, picture);
    return TMC_OK;
}
