/* The list of what is not supported: all of it at once, so that nobody has to convert twenty times to read it. */
#include <stdio.h>
#include <string.h>

#include "convert/onnx/context.h"

static void append_name(onnx_context *ctx, const char *what) {
    size_t used = strlen(ctx->issue_names), left = sizeof ctx->issue_names - used;
    if (strstr(ctx->issue_names, what)) return;
    size_t need = strlen(what) + (used ? 2 : 0);
    if (need + 4 < left)
        snprintf(ctx->issue_names + used, left, "%s%s", used ? ", " : "", what);
    else if (left > 4 && (used < 3 || strcmp(ctx->issue_names + used - 3, "...") != 0))
        snprintf(ctx->issue_names + used, left, "...");
}

void onnx_report(onnx_context *ctx, const char *what, const char *where, const char *reason) {
    char line[512];
    snprintf(line, sizeof line, "%s '%s': %s", what, where, reason);
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?'; /* names from the file must not steer a terminal */
    if (ctx->issue_count++ == 0)
        snprintf(ctx->first_issue, sizeof ctx->first_issue, "%.*s", (int)sizeof ctx->first_issue - 1, line);
    append_name(ctx, what);
    if (ctx->options->report) ctx->options->report(ctx->options->report_user, line);
}

tmc_status onnx_report_status(const onnx_context *ctx) {
    if (!ctx->issue_count) return TMC_OK;
    if (ctx->issue_count == 1) return tmc_fail(ctx->err, TMC_E_UNSUPPORTED, "not supported: %s", ctx->first_issue);
    return tmc_fail(ctx->err, TMC_E_UNSUPPORTED, "%u parts of the model are not supported (%s), first %s",
                    ctx->issue_count, ctx->issue_names, ctx->first_issue);
}
