/* Status and error record. Inside the library `err` is never NULL and always of full size: the API functions of
 * src/runtime hold one on their stack and copy it out to a caller's struct of any size. */
#ifndef TMC_BASE_ERROR_H
#define TMC_BASE_ERROR_H

#include "tmcnn/tmcnn.h"

#if defined(__GNUC__)
#define TMC_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define TMC_PRINTF(fmt, args)
#endif

/* Resets *err, stores status and message, returns status: `return tmc_fail(err, TMC_E_RANGE, "...", ...)`.
 * Supports the conversions %s %d %u %lld %llu %zu %x %c %% only (src/base/format.c has no stdio). */
tmc_status tmc_fail(tmc_error *err, tmc_status status, const char *fmt, ...) TMC_PRINTF(3, 4);

/* Like tmc_fail, naming the attribute or field. */
tmc_status tmc_fail_field(tmc_error *err, tmc_status status, const char *field, const char *fmt, ...) TMC_PRINTF(4, 5);

/* Adds where it happened to an error already recorded; a value already set stays. */
void tmc_error_at_node(tmc_error *err, int32_t node);
void tmc_error_at_tensor(tmc_error *err, int32_t tensor);
void tmc_error_at_byte(tmc_error *err, const char *section, uint64_t offset);

/* Hands `from` to a caller's record, which may be NULL or of an older size. Returns from->status. */
tmc_status tmc_error_export(const tmc_error *from, tmc_error *to);

#define TMC_TRY(expr)                                                                                                  \
    do {                                                                                                               \
        tmc_status tmc_try_status_ = (expr);                                                                           \
        if (tmc_try_status_ != TMC_OK) return tmc_try_status_;                                                         \
    } while (0)

#endif
