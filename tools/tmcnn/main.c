/* tmcnn: convert, look at, run, time and verify models. */
#include <stdio.h>
#include <string.h>

#include "io/file.h"
#include "tmcnn/cli.h"

static const cli_command *const commands[] = {&cli_convert, &cli_info, &cli_run, &cli_bench, &cli_verify};

static void print_help(void) {
    printf("tmcnn %d.%d.%d: medical-imaging networks on small devices\n\nusage: tmcnn COMMAND [OPTIONS] ...\n\n",
           TMC_VERSION_MAJOR, TMC_VERSION_MINOR, TMC_VERSION_PATCH);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        printf("  %-8s  %s\n", commands[i]->name, commands[i]->summary);
    printf("\n'tmcnn COMMAND --help' explains a command. Exit status: 0 done, 1 refused or failed, 2 wrong usage,\n"
           "3 out of memory.\n");
}

int main(int argc, char **argv) {
    io_remove_temporary_on_signal();
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help();
        return argc < 2 ? CLI_USAGE : CLI_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("tmcnn %d.%d.%d\n", TMC_VERSION_MAJOR, TMC_VERSION_MINOR, TMC_VERSION_PATCH);
        return CLI_OK;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(argv[1], commands[i]->name)) continue;
        for (int k = 2; k < argc; k++) {
            if (strcmp(argv[k], "--help") == 0 || strcmp(argv[k], "-h") == 0) {
                fputs(commands[i]->help, stdout);
                return CLI_OK;
            }
        }
        int result = commands[i]->run(argc - 1, argv + 1);
        if (fflush(stdout) || ferror(stdout)) {
            fprintf(stderr, "tmcnn %s: cannot write to standard output\n", argv[1]);
            return result ? result : CLI_FAILED;
        }
        return result;
    }
    fprintf(stderr, "tmcnn: unknown command '%s'; try 'tmcnn --help'\n", argv[1]);
    return CLI_USAGE;
}
