#include "bench/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cpu/cpu.h"

/* The first line of `path` that starts with `key`, from behind its colon. */
static void read_line(const char *path, const char *key, char *out, size_t size) {
    char line[256];
    FILE *file = fopen(path, "r");
    out[0] = 0;
    if (!file) return;
    while (!out[0] && fgets(line, sizeof line, file)) {
        const char *value = strchr(line, ':');
        if (strncmp(line, key, strlen(key)) != 0) continue;
        value = value ? value + 1 : line;
        while (*value == ' ' || *value == '\t') value++;
        snprintf(out, size, "%.*s", (int)strcspn(value, "\n"), value);
    }
    fclose(file);
}

/* Linux says "32768K"; the C library knows it on x86. */
static uint64_t l3_bytes(void) {
    char text[32];
    read_line("/sys/devices/system/cpu/cpu0/cache/index3/size", "", text, sizeof text);
    unsigned long long kib = strtoull(text, NULL, 10);
    if (kib && strchr(text, 'K')) return kib << 10;
    if (kib && strchr(text, 'M')) return kib << 20;
#ifdef _SC_LEVEL3_CACHE_SIZE
    long bytes = sysconf(_SC_LEVEL3_CACHE_SIZE);
    if (bytes > 0) return (uint64_t)bytes;
#endif
    return 0;
}

void bench_machine_query(bench_machine *machine) {
    struct utsname name;
    tmc_cpu cpu;
    tmc_cpu_query(&cpu);
    memset(machine, 0, sizeof *machine);
    machine->cores = tmc_cpu_cores();
    machine->l1_bytes = cpu.l1_bytes;
    machine->l2_bytes = cpu.l2_bytes;
    machine->l3_bytes = l3_bytes();
    read_line("/proc/cpuinfo", "model name", machine->cpu, sizeof machine->cpu);
    if (uname(&name) == 0) snprintf(machine->system, sizeof machine->system, "%.39s %.39s", name.sysname, name.machine);
    if (!machine->cpu[0]) snprintf(machine->cpu, sizeof machine->cpu, "unknown CPU");
}
