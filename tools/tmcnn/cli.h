/* What the sub-commands of tmcnn share. Results go to stdout, errors to stderr in one line.
 * Exit status: 0 done; 1 the input was refused or the work failed; 2 wrong usage; 3 out of memory. */
#ifndef TMC_TOOLS_CLI_H
#define TMC_TOOLS_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "tmcnn/tmcnn.h"

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_NO_MEMORY = 3 };

typedef struct cli_command {
    const char *name, *summary, *help;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
} cli_command;

extern const cli_command cli_convert, cli_info, cli_run, cli_bench, cli_verify;

/* "tmcnn run: x.tmc: message (where) [TMC_E_SHAPE]" on stderr; returns CLI_FAILED, or CLI_NO_MEMORY for E_NOMEM.
 * `subject` is the file or thing at hand, or NULL. */
int cli_fail(const cli_command *command, const char *subject, const tmc_error *err);
/* "tmcnn run: text; try 'tmcnn run --help'" on stderr; returns CLI_USAGE. */
int cli_usage(const cli_command *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Options that say how a model is opened and planned; the same in run, bench, info. */
#define CLI_MAX_SHAPES 16
typedef struct cli_plan_args {
    tmc_isa isa;
    uint32_t threads;
    uint64_t arena_limit;
    bool mmap;
    const char *shapes[CLI_MAX_SHAPES]; /* "name=1,3,224,224" or "1,3,224,224" */
    int shape_count;
} cli_plan_args;

#define CLI_PLAN_HELP                                                                                                  \
    "  --threads N          threads to use (default 1)\n"                                                              \
    "  --isa LEVEL          ref, sse41, avx2, avx512, neon, or auto (default)\n"                                       \
    "  --shape [NAME=]DIMS  shape of an input, in the source model's layout: 1,3,224,224\n"                            \
    "  --arena-limit BYTES  refuse a plan whose arena is larger\n"                                                     \
    "  --mmap               map the file instead of reading it (read-only storage only)\n"

/* For getopt_long: codes above any character. */
enum { OPT_THREADS = 256, OPT_ISA, OPT_SHAPE, OPT_ARENA_LIMIT, OPT_MMAP, OPT_FIRST_OWN };
#define CLI_PLAN_OPTIONS                                                                                               \
    {"threads", required_argument, NULL, OPT_THREADS}, {"isa", required_argument, NULL, OPT_ISA},                      \
        {"shape", required_argument, NULL, OPT_SHAPE}, {"arena-limit", required_argument, NULL, OPT_ARENA_LIMIT}, {    \
        "mmap", no_argument, NULL, OPT_MMAP                                                                            \
    }

void cli_plan_args_init(cli_plan_args *args);
/* Takes one of the codes above; CLI_OK, or CLI_USAGE with a message printed. */
int cli_plan_option(const cli_command *command, int code, const char *value, cli_plan_args *args);

/* A whole number in [low, high] into *out; CLI_USAGE with a message otherwise. */
int cli_number(const cli_command *command, const char *option, const char *text, long long low, long long high,
               long long *out);

/* Opens and plans. On failure prints the error and returns an exit status; releases what it made. */
int cli_open(const cli_command *command, const char *path, const cli_plan_args *args, tmc_model **model);
int cli_plan(const cli_command *command, const char *path, const cli_plan_args *args, tmc_model *model,
             tmc_plan **plan);

/* Hex digits of bytes; `out` holds 2 * n + 1. */
void cli_hex(const uint8_t *bytes, size_t n, char *out);

/* Prints malloc'd JSON and frees it; CLI_NO_MEMORY if text is NULL. */
int cli_print_json(const cli_command *command, char *text);

#endif
