// Which cores this process may compute on: its affinity, one hardware thread per core, its control group's share of time.

#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "CKernels.h"

enum { MOST_CORES = 4096, MOST_NODES = 256 };

typedef struct core {
    int cpu;
    int siblings;  // the lowest hardware thread of the same core: its name
    int node;
} core;

/// The start of a small file of the system's; false if there is none.
static bool read_text(const char *system, const char *path, char *text, size_t size) {
    char whole[512];
    snprintf(whole, sizeof whole, "%s/%s", system, path);
    FILE *file = fopen(whole, "r");
    if (!file) return false;
    size_t count = fread(text, 1, size - 1, file);
    text[count] = 0;
    fclose(file);
    return count > 0;
}

static core describe(const char *system, int cpu) {
    core found = {cpu, cpu, 0};
    char path[128], text[64];
    snprintf(path, sizeof path, "devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    if (read_text(system, path, text, sizeof text)) found.siblings = atoi(text);
    for (int node = 0; node < MOST_NODES; node++) {
        char whole[512];
        snprintf(whole, sizeof whole, "%s/devices/system/cpu/cpu%d/node%d", system, cpu, node);
        if (access(whole, F_OK) == 0) {
            found.node = node;
            break;
        }
    }
    return found;
}

/// Cores' worth of time that the control group grants, rounded up; MOST_CORES without a limit. Version 2, then 1.
static int granted(const char *system) {
    char text[64], period[64];
    double quota = 0, each = 0;
    if (read_text(system, "fs/cgroup/cpu.max", text, sizeof text)) {
        if (sscanf(text, "%lf %lf", &quota, &each) != 2) return MOST_CORES;  // "max 100000"
    } else if (read_text(system, "fs/cgroup/cpu/cpu.cfs_quota_us", text, sizeof text)
               && read_text(system, "fs/cgroup/cpu/cpu.cfs_period_us", period, sizeof period)) {
        quota = atof(text), each = atof(period);  // -1: no limit
    }
    if (quota <= 0 || each <= 0) return MOST_CORES;
    double cores = quota / each;
    return cores >= MOST_CORES ? MOST_CORES : cores > (int)cores ? (int)cores + 1 : (int)cores;
}

int cs_cores_of(const char *system, const int *allowed, int count, int *cores) {
    core *found = malloc(((size_t)count + 1) * sizeof *found);
    if (!found) return 0;
    int distinct = 0, on_node[MOST_NODES] = {0};
    for (int i = 0; i < count; i++) {
        core next = describe(system, allowed[i]);
        bool is_known = false;
        for (int j = 0; j < distinct; j++) is_known |= found[j].siblings == next.siblings;
        if (is_known) continue;
        on_node[next.node]++;
        found[distinct++] = next;
    }
    int most = granted(system), written = 0;
    // The node with the most cores first, so that few threads share one node's memory.
    while (written < distinct && written < most) {
        int node = 0;
        for (int n = 1; n < MOST_NODES; n++) node = on_node[n] > on_node[node] ? n : node;
        on_node[node] = 0;
        for (int i = 0; i < distinct && written < most; i++)
            if (found[i].node == node) cores[written++] = found[i].cpu;
    }
    free(found);
    return written;
}

int cs_cores(int *cores, int most) {
    int all[MOST_CORES], found[MOST_CORES];
    int count = 0;
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
            if (CPU_ISSET(cpu, &set)) all[count++] = cpu;
#endif
    if (count == 0) {
        long online = sysconf(_SC_NPROCESSORS_ONLN);
        for (int cpu = 0; cpu < (online > 0 ? online : 1) && cpu < MOST_CORES; cpu++) all[count++] = cpu;
    }
    int written = cs_cores_of("/sys", all, count, found);
    if (written == 0) found[written++] = all[0];
    for (int i = 0; i < written && i < most; i++) cores[i] = found[i];
    return written;
}

int cs_core_count(void) { return cs_cores(NULL, 0); }
