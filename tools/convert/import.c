#include "convert/import.h"

#include <stdio.h>
#include <string.h>

const import_shape *import_find_shape(const import_shape *shapes, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(shapes[i].name, name) == 0) return &shapes[i];
    return NULL;
}

static void append_name(import_issues *issues, const char *what) {
    size_t used = strlen(issues->names), left = sizeof issues->names - used;
    if (strstr(issues->names, what)) return;
    size_t need = strlen(what) + (used ? 2 : 0);
    if (need + 4 < left)
        snprintf(issues->names + used, left, "%s%s", used ? ", " : "", what);
    else if (left > 4 && (used < 3 || strcmp(issues->names + used - 3, "...") != 0))
        snprintf(issues->names + used, left, "...");
}

void import_issue(import_issues *issues, const char *what, const char *where, const char *reason) {
    char line[512];
    snprintf(line, sizeof line, "%s '%s': %s", what, where, reason);
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?'; /* names from the file must not steer a terminal */
    if (issues->count++ == 0)
        snprintf(issues->first, sizeof issues->first, "%.*s", (int)sizeof issues->first - 1, line);
    append_name(issues, what);
    if (issues->report) issues->report(issues->user, line);
}

tmc_status import_issues_status(const import_issues *issues, tmc_error *err) {
    if (!issues->count) return TMC_OK;
    if (issues->count == 1) return tmc_fail(err, TMC_E_UNSUPPORTED, "not supported: %s", issues->first);
    return tmc_fail(err, TMC_E_UNSUPPORTED, "%u parts of the model are not supported (%s), first %s", issues->count,
                    issues->names, issues->first);
}
