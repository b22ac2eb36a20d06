/* The steps of tmc_file_read, one file each: reader.c header and section table, strings.c the string blob, records.c
 * the records of each section. Each step trusts what the steps before it established. */
#ifndef TMC_FORMAT_SECTIONS_H
#define TMC_FORMAT_SECTIONS_H

#include "base/error.h"
#include "format/reader.h"

/* Adds the place, an absolute file offset, to the error that `status` reports. */
static inline tmc_status tmc_fail_at(tmc_error *err, const char *section, uint64_t offset, tmc_status status) {
    tmc_error_at_byte(err, section, offset);
    return status;
}

/* The blob of view->strings: a NUL, then NUL-terminated UTF-8 strings in strictly ascending byte order.
 * Errors: E_FORMAT, E_LIMIT. */
tmc_status tmc_file_check_strings(const tmc_file_view *view, tmc_error *err);

/* Reserved fields, string references, ranges in INDX, PARM and WGHT, unique metadata keys. Errors: E_FORMAT, E_RANGE,
 * E_LIMIT. */
tmc_status tmc_file_check_records(const tmc_file_view *view, tmc_error *err);

#endif
