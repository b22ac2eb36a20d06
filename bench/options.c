#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/measure.h"
#include "cpu/cpu.h"

static const char help[] =
    "usage: tmcnn-bench COMMAND [OPTIONS] [MODEL.tmc ...]\n\n"
    "Times this library against the ceilings of this machine, which it measures before and after.\n\n"
    "  probe                the ceilings alone: multiply-accumulates, bandwidth of each cache and of memory, clock\n"
    "  kernels              every micro-kernel of one level, one thread, data in the first cache where they fit\n"
    "  layers MODEL...      every node of a model in steady state, the largest losses, totals by operator\n"
    "  models MODEL...      loading, first run, steady runs, memory; at one and at --threads threads\n"
    "  all MODEL...         everything\n\n"
    "  --isa LEVEL          instruction-set level (default: the best of this CPU)\n"
    "  --threads N          threads of layers (default 1) and the larger count of models (default: all cores)\n"
    "  --time MS            time for each item (default: 20 a kernel or ceiling, 1000 a model)\n"
    "  --top N              rows in the table of the largest losses, 0 for all (default 12)\n"
    "  --filter TEXT        only kernels, nodes and models whose name, operator or kernel has TEXT in it\n"
    "  --json FILE          the same figures as JSON; docs/benchmarks/ours.md has the fields\n";

static int usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int usage(const char *fmt, ...) {
    va_list args;
    fputs("tmcnn-bench: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputs("; try 'tmcnn-bench --help'\n", stderr);
    return BENCH_USAGE;
}

static int take_number(const char *option, const char *text, long low, long high, long *out) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < low || value > high)
        return usage("--%s takes a whole number from %ld to %ld, not '%s'", option, low, high, text);
    *out = value;
    return BENCH_OK;
}

static int take_level(const char *text, bench_options *options) {
    if (tmc_isa_from_name(text, &options->isa)) return usage("unknown --isa '%s'", text);
    if (!tmc_isa_available(options->isa)) return usage("this CPU has no level '%s'", text);
    return BENCH_OK;
}

enum { OPT_ISA = 256, OPT_THREADS, OPT_TIME, OPT_TOP, OPT_FILTER, OPT_JSON, OPT_HELP };

static int take_option(int code, bench_options *options) {
    long number = 0;
    int result = BENCH_OK;
    switch (code) {
    case OPT_ISA: return take_level(optarg, options);
    case OPT_THREADS:
        result = take_number("threads", optarg, 1, TMC_THREADS ? BENCH_MAX_THREADS : 1, &number);
        options->threads = (uint32_t)number;
        return result;
    case OPT_TIME:
        result = take_number("time", optarg, 1, 1000000, &number);
        options->time_ms = (double)number;
        return result;
    case OPT_TOP:
        result = take_number("top", optarg, 0, 1000000, &number);
        options->top = (uint32_t)number;
        return result;
    case OPT_FILTER: options->filter = optarg; return BENCH_OK;
    case OPT_JSON: options->json_path = optarg; return BENCH_OK;
    default: return BENCH_USAGE;
    }
}

/* The level that AUTO means. */
static tmc_isa best_level(void) {
    tmc_cpu cpu;
    tmc_cpu_query(&cpu);
    return tmc_cpu_choose_isa(&cpu, TMC_ISA_AUTO);
}

int bench_options_parse(int argc, char **argv, bench_options *options, bool *done) {
    static const struct option names[] = {
        {"isa", required_argument, NULL, OPT_ISA},       {"threads", required_argument, NULL, OPT_THREADS},
        {"time", required_argument, NULL, OPT_TIME},     {"top", required_argument, NULL, OPT_TOP},
        {"filter", required_argument, NULL, OPT_FILTER}, {"json", required_argument, NULL, OPT_JSON},
        {"help", no_argument, NULL, OPT_HELP},           {NULL, 0, NULL, 0}};
    static const char *const commands[] = {"probe", "kernels", "layers", "models", "all"};
    int code;
    *options = (bench_options){.top = 12};
    opterr = 0;
    while ((code = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (code == '?') return usage("unknown option or missing value: %s", argv[optind - 1]);
        *done = code == OPT_HELP;
        if (*done) return fputs(help, stdout) < 0;
        if (take_option(code, options)) return BENCH_USAGE;
    }
    if (options->isa == TMC_ISA_AUTO) options->isa = best_level();
    if (optind == argc) return usage("expected a command");
    const char *command = argv[optind++];
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(command, commands[i]) == 0) options->command = commands[i];
    if (!options->command) return usage("unknown command '%s'", command);
    options->models = argv + optind;
    options->model_count = argc - optind;
    const bool takes_models = strcmp(command, "probe") != 0 && strcmp(command, "kernels") != 0;
    if (takes_models && !options->model_count) return usage("%s expects model files", command);
    if (!takes_models && options->model_count) return usage("%s takes no model files", command);
    return BENCH_OK;
}
