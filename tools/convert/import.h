/* What all importers share: the caller's wishes, and the list of what is not supported. */
#ifndef TMC_CONVERT_IMPORT_H
#define TMC_CONVERT_IMPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Shape of one input, in the source model's own axis order. */
typedef struct import_shape {
    const char *name;
    int32_t rank;
    int32_t dims[TMC_MAX_RANK];
} import_shape;

/* NULL if none of them has this name. */
const import_shape *import_find_shape(const import_shape *shapes, size_t count, const char *name);

/* Receives every reason for a TMC_E_UNSUPPORTED, one line each without a newline. */
typedef void (*import_report_fn)(void *user, const char *line);

/* All of it at once, so that nobody has to convert twenty times to read it. Set `report` and `user`, the rest 0. */
typedef struct import_issues {
    import_report_fn report; /* or NULL */
    void *user;
    uint32_t count;
    char names[96]; /* for the error record: what is refused, each name once */
    char first[128];
} import_issues;

/* `what` names the operator or tensor, `where` the node. */
void import_issue(import_issues *issues, const char *what, const char *where, const char *reason);
/* TMC_OK if there was none, else TMC_E_UNSUPPORTED. */
tmc_status import_issues_status(const import_issues *issues, tmc_error *err);

#endif
