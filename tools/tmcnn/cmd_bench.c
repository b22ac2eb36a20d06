/* tmcnn bench: how long opening, planning and running take. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "io/json.h"
#include "io/timing.h"
#include "tmcnn/cli.h"

static int run_bench(int argc, char **argv);

const cli_command cli_bench = {"bench", "time opening, planning and running a model",
                               "usage: tmcnn bench [OPTIONS] MODEL.tmc\n\n"
                               "Inputs are pseudo-random. Prints the median and the 90th percentile of the runs, the "
                               "time to open (with all checks),\n"
                               "to plan, to make a session, of the first run, and the peak memory of the process.\n\n"
                               "  --runs N             timed runs after the first (default 50)\n"
                               "  --json               as JSON\n" CLI_PLAN_HELP,
                               run_bench};

typedef struct {
    cli_plan_args plan;
    long long runs;
    bool json;
} bench_args;

typedef struct {
    double open_ms, plan_ms, session_ms, first_ms, median_ms, p90_ms, min_ms;
} bench_times;

enum { OPT_RUNS = OPT_FIRST_OWN, OPT_JSON };

static int parse(int argc, char **argv, bench_args *args) {
    static const struct option options[] = {CLI_PLAN_OPTIONS,
                                            {"runs", required_argument, NULL, OPT_RUNS},
                                            {"json", no_argument, NULL, OPT_JSON},
                                            {NULL, 0, NULL, 0}};
    int code;
    memset(args, 0, sizeof *args);
    cli_plan_args_init(&args->plan);
    args->runs = 50;
    opterr = 0;
    while ((code = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (code == '?') return cli_usage(&cli_bench, "unknown option or missing value: %s", argv[optind - 1]);
        if (code == OPT_JSON) {
            args->json = true;
        } else if (code == OPT_RUNS) {
            if (cli_number(&cli_bench, "runs", optarg, 1, 1000000, &args->runs)) return CLI_USAGE;
        } else if (cli_plan_option(&cli_bench, code, optarg, &args->plan)) {
            return CLI_USAGE;
        }
    }
    if (optind + 1 != argc) return cli_usage(&cli_bench, "expected one model file");
    return CLI_OK;
}

static double now_ms(void) { return timing_now_ns() * 1e-6; }

static int time_runs(tmc_session *session, long long runs, bench_times *times, tmc_error *err) {
    double *samples = malloc((size_t)runs * sizeof *samples), start = now_ms();
    if (!samples) return CLI_NO_MEMORY;
    tmc_status status = tmc_session_run(session, NULL, err);
    times->first_ms = now_ms() - start;
    for (long long i = 0; i < runs && !status; i++) {
        start = now_ms();
        status = tmc_session_run(session, NULL, err);
        samples[i] = now_ms() - start;
    }
    if (!status) {
        timing_summary summary = timing_summarise(samples, (size_t)runs);
        times->min_ms = summary.min;
        times->median_ms = summary.median;
        times->p90_ms = summary.p90;
    }
    free(samples);
    return status ? CLI_FAILED : CLI_OK;
}

static long peak_kib(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static int print_json(const char *path, const bench_args *args, const bench_times *t, const tmc_model_info *info,
                      tmc_isa isa) {
    json_writer json;
    json_start(&json);
    json_open_object(&json, NULL);
    json_string(&json, "model", path);
    json_string(&json, "isa", tmc_isa_name(isa));
    json_integer(&json, "threads", args->plan.threads);
    json_integer(&json, "runs", args->runs);
    json_number(&json, "median_ms", t->median_ms);
    json_number(&json, "p90_ms", t->p90_ms);
    json_number(&json, "min_ms", t->min_ms);
    json_number(&json, "open_ms", t->open_ms);
    json_number(&json, "plan_ms", t->plan_ms);
    json_number(&json, "session_ms", t->session_ms);
    json_number(&json, "first_ms", t->first_ms);
    json_integer(&json, "peak_bytes", peak_kib() * 1024);
    json_integer(&json, "macs", (int64_t)info->macs);
    json_close_object(&json);
    return cli_print_json(&cli_bench, json_finish(&json));
}

static int print_text(const bench_args *args, const bench_times *t, const tmc_model_info *info, tmc_isa isa) {
    printf("level    %s, %u thread%s, %lld runs\n", tmc_isa_name(isa), args->plan.threads,
           args->plan.threads > 1 ? "s" : "", args->runs);
    printf("run      median %.3f ms, 90th percentile %.3f, best %.3f (%.1f GMAC/s)\n", t->median_ms, t->p90_ms,
           t->min_ms, (double)info->macs / t->median_ms * 1e-6);
    printf("first    %.3f ms\n", t->first_ms);
    printf("open     %.3f ms (%s), plan %.3f ms, session %.3f ms\n", t->open_ms,
           args->plan.mmap ? "mapped" : "private copy", t->plan_ms, t->session_ms);
    printf("peak     %.1f MiB of the process\n", (double)peak_kib() / 1024.0);
    return CLI_OK;
}

static int run_bench(int argc, char **argv) {
    bench_args args;
    bench_times times = {0};
    tmc_model *model = NULL;
    tmc_plan *plan = NULL;
    tmc_session *session = NULL;
    tmc_model_info info = {.struct_size = sizeof info};
    tmc_node_report node = {.struct_size = sizeof node};
    tmc_error err;
    tmc_error_init(&err);
    int result = parse(argc, argv, &args);
    if (result) return result;
    const char *path = argv[optind];
    double start = now_ms();
    result = cli_open(&cli_bench, path, &args.plan, &model);
    times.open_ms = now_ms() - start;
    if (!result) {
        start = now_ms();
        result = cli_plan(&cli_bench, path, &args.plan, model, &plan);
        times.plan_ms = now_ms() - start;
    }
    if (!result) {
        tmc_model_get_info(model, &info);
        tmc_isa isa = args.plan.isa;
        for (uint32_t i = 0; i < tmc_plan_node_count(plan); i++) /* the highest level that any node uses */
            if (!tmc_plan_node(plan, i, &node) && node.isa > isa) isa = node.isa;
        start = now_ms();
        if (tmc_session_create(plan, NULL, &session, &err)) {
            result = cli_fail(&cli_bench, path, &err);
        } else {
            times.session_ms = now_ms() - start;
            if (timing_fill_inputs(session, info.input_count, &err)) result = CLI_FAILED;
            if (!result) result = time_runs(session, args.runs, &times, &err);
            if (result) result = err.status ? cli_fail(&cli_bench, path, &err) : result;
        }
        if (!result)
            result = args.json ? print_json(path, &args, &times, &info, isa) : print_text(&args, &times, &info, isa);
    }
    tmc_session_release(&session);
    tmc_plan_release(&plan);
    tmc_model_release(&model);
    return result;
}
