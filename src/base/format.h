/* Bounded text formatting without stdio, so that errors can be written in the firmware profile and under any locale. */
#ifndef TMC_BASE_FORMAT_H
#define TMC_BASE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* Writes at most `size` bytes including the terminating NUL; a longer text is cut at a UTF-8 character boundary.
 * Conversions: %s %d %u %x %c %%, with ll and z. Non-printable bytes of %s are written as '?', so that a name from
 * an untrusted file cannot steer a terminal. */
void tmc_format(char *out, size_t size, const char *fmt, va_list args);

#endif
