/* Makes a bad .tmc file from a good one by a line of edits, so that a table can hold many cases. Edits are separated by
 * spaces and applied in order; afterwards the checksum is repaired unless one of them is `raw`.
 *
 *     raw                  leave the checksum alone
 *     truncate=N           keep N bytes               append=N    add N zero bytes
 *     flip=B               flip bit B of the file     PAD[ID]=V   byte behind the end of a section
 *     HEAD.field=V         header                     SECT[ID].field=V   entry of the section table
 *     GRPH.field=V  TENS[i].field=V  NODE[i].field=V  META[i].field=V  TEST[i].field=V
 *     NODE[i].param=V      field of the operator's parameter struct; act.lo and act.hi are lo and hi
 *     NODE[i].in[j]=V  NODE[i].out[j]=V  GRPH.in[j]=V  GRPH.out[j]=V     entries of INDX
 *     QUAN[i].field=V  QSCL[i]=V
 *     STRS[i]=V  WGHT[i]=V  WGHT[i].bits=V    a byte; an f32; its bits
 *
 * Fields that are arrays take [j]. `+=` adds. V: a number, `none` (0xffffffff), 'ABCD' (an id); nan, inf, 1e30 in float
 * fields. */
#ifndef TMC_TEST_TMC_EDIT_H
#define TMC_TEST_TMC_EDIT_H

#include <stddef.h>
#include <stdint.h>

/* *bytes comes from build_block and may be replaced by a block of another size. Returns NULL, or the start of the first
 * edit that is not understood. */
const char *edit_file(uint8_t **bytes, size_t *size, const char *edits);

#endif
