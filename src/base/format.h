/* Bounded text formatting without stdio, so that errors can be written in the firmware profile and under any locale. */
#ifndef TMC_BASE_FORMAT_H
#define TMC_BASE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Writes at most `size` bytes including the terminating NUL; a longer text is cut at a UTF-8 character boundary.
 * Conversions: %s %d %u %x %c %%, with ll and z. Non-printable bytes of %s are written as '?', so that a name from
 * an untrusted file cannot steer a terminal. */
void tmc_format(char *out, size_t size, const char *fmt, va_list args);

/* One of many texts that lie one after the other, each with its end, an empty one behind the last: a switch would cost
 * 12 bytes per text, a table of pointers 32. Past the last one `otherwise`. */
const char *tmc_text_at(const char *texts, uint32_t index, const char *otherwise);

#endif
