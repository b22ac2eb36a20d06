/* Collects what an importer reports. */
#ifndef TMC_TEST_REPORT_LINES_H
#define TMC_TEST_REPORT_LINES_H

#include <stdio.h>

typedef struct report_lines {
    int count;
    char text[4][256]; /* the first ones */
} report_lines;

/* An import_report_fn; `user` is the report_lines. */
static inline void report_lines_collect(void *user, const char *line) {
    report_lines *l = user;
    if (l->count < 4) snprintf(l->text[l->count], sizeof l->text[0], "%s", line);
    l->count++;
}

#endif
