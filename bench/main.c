/* tmcnn-bench: kernels, layers and models beside the ceilings of the machine. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/measure.h"
#include "io/file.h"

bool bench_selected(const bench_run *run, const char *text) {
    return !run->options.filter || (text && strstr(text, run->options.filter));
}

double bench_item_ms(const bench_run *run, double otherwise) {
    return run->options.time_ms > 0 ? run->options.time_ms : otherwise;
}

const char *bench_base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void on_signal(int number) {
    (void)number;
    bench_interrupted = 1;
}

static void catch_signals(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void open_json(bench_run *run) {
    const bench_machine *m = &run->machine;
    char version[24];
    snprintf(version, sizeof version, "%u.%u.%u", tmc_version() / 1000000, tmc_version() / 1000 % 1000,
             tmc_version() % 1000);
    json_start(&run->json);
    json_open_object(&run->json, NULL);
    json_integer(&run->json, "schema", 1);
    json_string(&run->json, "library", version);
    json_string(&run->json, "command", run->options.command);
    json_string(&run->json, "isa", tmc_isa_name(run->options.isa));
    json_open_object(&run->json, "machine");
    json_string(&run->json, "cpu", m->cpu);
    json_string(&run->json, "system", m->system);
    json_integer(&run->json, "cores", m->cores);
    json_integer(&run->json, "l1_bytes", (int64_t)m->l1_bytes);
    json_integer(&run->json, "l2_bytes", (int64_t)m->l2_bytes);
    json_integer(&run->json, "l3_bytes", (int64_t)m->l3_bytes);
    json_close_object(&run->json);
}

static int close_json(bench_run *run) {
    json_integer(&run->json, "interrupted", bench_interrupted ? 1 : 0);
    json_close_object(&run->json);
    char *text = json_finish(&run->json);
    tmc_error err;
    tmc_error_init(&err);
    tmc_status status = TMC_OK;
    if (!text) {
        fputs("tmcnn-bench: out of memory\n", stderr);
    } else if (run->options.json_path) {
        status = io_write_file(run->options.json_path, text, strlen(text), &err);
        if (status) fprintf(stderr, "tmcnn-bench: %s\n", err.message);
    }
    free(text);
    return !text || status ? BENCH_FAILED : BENCH_OK;
}

static bool wants(const bench_run *run, const char *command) {
    return !bench_interrupted &&
           (strcmp(run->options.command, command) == 0 || strcmp(run->options.command, "all") == 0);
}

/* Models before layers: their children start from a process that has opened none. */
static int run_sections(bench_run *run) {
    int result = bench_probe_section(run, "before");
    if (!result && wants(run, "models")) result = bench_models(run);
    if (!result && wants(run, "kernels")) result = bench_kernels(run);
    if (!result && wants(run, "layers")) result = bench_layers(run);
    if (!result && !bench_interrupted) result = bench_probe_section(run, "after");
    return result;
}

int main(int argc, char **argv) {
    bench_run run;
    bool done = false;
    memset(&run, 0, sizeof run);
    int result = bench_options_parse(argc, argv, &run.options, &done);
    if (result || done) return result;
    bench_machine_query(&run.machine);
    const uint32_t most = TMC_THREADS ? BENCH_MAX_THREADS : 1;
    run.threads = run.options.threads;
    if (!run.threads) {
        const bool one = strcmp(run.options.command, "kernels") == 0 || strcmp(run.options.command, "layers") == 0;
        run.threads = one ? 1 : run.machine.cores < most ? run.machine.cores : most;
    }
    catch_signals();
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("%s, %s, level %s, %u core%s\n", run.machine.cpu, run.machine.system, tmc_isa_name(run.options.isa),
           run.machine.cores, run.machine.cores > 1 ? "s" : "");
    open_json(&run);
    result = run_sections(&run);
    int written = close_json(&run);
    if (fflush(stdout) || ferror(stdout)) {
        perror("tmcnn-bench: standard output");
        result = BENCH_FAILED;
    }
    return bench_interrupted ? BENCH_INTERRUPTED : result ? result : written;
}
