/* The orientation that a camera wrote beside the pixels. */
#ifndef TMC_IO_EXIF_H
#define TMC_IO_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* Of an EXIF block (a JPEG's APP1 segment from "Exif" on): 1 to 8 as EXIF numbers them, 1 is upright. 1 where the block
 * is another kind of APP1, is damaged or says nothing. */
int exif_orientation(const uint8_t *block, size_t size);

#endif
