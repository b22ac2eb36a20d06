/* tmcnn verify: is this file whole, and does this machine compute what its author's did? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/digest.h"
#include "io/file.h"
#include "tmcnn/cli.h"

static int run_verify(int argc, char **argv);

const cli_command cli_verify = {
    "verify", "check a model's integrity and run its self-tests at every level",
    "usage: tmcnn verify MODEL.tmc\n\n"
    "Checks structure and checksum (strict: weights must be finite), the SHA-256 digest, and runs the stored "
    "self-tests\n"
    "at every instruction-set level of this machine with 1 and 2 threads. Prints one line per check.\n",
    run_verify};

static int check_digest(const char *path, const tmc_model *model) {
    tmc_error err;
    uint8_t *bytes, digest[32];
    size_t size;
    tmc_model_info info = {.struct_size = sizeof info};
    tmc_error_init(&err);
    if (io_read_file(path, UINT32_MAX, &bytes, &size, &err)) return cli_fail(&cli_verify, NULL, &err);
    tmc_model_get_info(model, &info);
    io_file_sha256(bytes, size, digest);
    free(bytes);
    if (memcmp(digest, info.sha256, sizeof digest)) {
        tmc_fail(&err, TMC_E_INTEGRITY, "the SHA-256 digest does not match: convert the model again");
        return cli_fail(&cli_verify, path, &err);
    }
    printf("sha-256     ok\n");
    return CLI_OK;
}

static int check_level(const char *path, tmc_model *model, tmc_isa isa, uint32_t threads) {
    tmc_plan_options options;
    tmc_error err;
    tmc_error_init(&err);
    tmc_plan_options_init(&options);
    options.max_isa = isa;
    options.threads = threads;
    const tmc_status status = tmc_model_selftest(model, &options, &err);
    if (status == TMC_E_UNSUPPORTED) { /* a level that does not promise the recorded bits */
        if (threads == 1) printf("self-test   --  %s is not bit-identical\n", tmc_isa_name(isa));
        return CLI_OK;
    }
    if (status) return cli_fail(&cli_verify, path, &err);
    printf("self-test   ok  %s, %u thread%s\n", tmc_isa_name(isa), threads, threads > 1 ? "s" : "");
    return CLI_OK;
}

static int run_verify(int argc, char **argv) {
    tmc_model_options options;
    tmc_model_info info = {.struct_size = sizeof info};
    tmc_model *model = NULL;
    tmc_error err;
    if (argc > 1 && argv[1][0] == '-') return cli_usage(&cli_verify, "unknown option %s", argv[1]);
    if (argc != 2) return cli_usage(&cli_verify, "expected one model file");
    const char *path = argv[1];
    tmc_error_init(&err);
    tmc_model_options_init(&options);
    options.flags = TMC_MODEL_STRICT;
    if (tmc_model_open_file(path, &options, &model, &err)) return cli_fail(&cli_verify, path, &err);
    tmc_model_get_info(model, &info);
    printf("structure   ok  %u nodes, %u tensors\n", info.node_count, info.tensor_count);
    int result = check_digest(path, model);
    if (!info.selftest_count) printf("self-test   none stored\n");
    for (int isa = TMC_ISA_REF; !result && info.selftest_count && strcmp(tmc_isa_name((tmc_isa)isa), "?"); isa++) {
        if (!tmc_isa_available((tmc_isa)isa)) continue;
        for (uint32_t threads = 1; !result && threads <= 2; threads++)
            result = check_level(path, model, (tmc_isa)isa, threads);
    }
    tmc_model_release(&model);
    return result;
}
