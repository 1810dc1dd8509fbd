// Which instruction sets this machine runs, as its processor and its kernel say.

#if defined(__linux__)
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>
#endif
#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

#include "table.h"

#if defined(__x86_64__)

/// CPUID leaf 7, subleaf 1: EAX bit 4 is AVX-VNNI. Source: Intel SDM, volume 2A, CPUID.
static bool has_avx_vnni(void) {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1);
}

#if !defined(CS_AMX_MODEL)
/// CPUID leaf 7: EDX bits 22, 24 and 25 are AMX-BF16, -TILE and -INT8. XCR0 bits 17 and 18: the system saves tiles.
/// Linux hands tiles out on request only (ARCH_REQ_XCOMP_PERM of XTILEDATA, for all of the process's threads).
/// Sources: Intel SDM, volume 1, section 18.3; Linux, Documentation/arch/x86/xstate.rst.
static bool has_amx(void) {
#if defined(__linux__)
    enum { bits = 1 << 22 | 1 << 24 | 1 << 25, states = 3 << 17, request_permission = 0x1023, tile_data = 18 };
    unsigned a, b, c, d, low, high;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & bits) != bits) return false;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    (void)high;
    return (low & states) == states && syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
    return false;
#endif
}
#else
/// Tiles are computed in software: see amx.h.
static bool has_amx(void) { return true; }
#endif

static unsigned find_levels(void) {
    unsigned found = 1u << CS_ISA_PORTABLE;
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("f16c")) return found;
    found |= 1u << CS_ISA_AVX2;
    if (has_avx_vnni()) found |= 1u << CS_ISA_AVX_VNNI;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq")
        || !__builtin_cpu_supports("avx512vl"))
        return found;
    found |= 1u << CS_ISA_AVX512;
    if (!__builtin_cpu_supports("avx512vnni")) return found;
    found |= 1u << CS_ISA_AVX512_VNNI;
    if (!__builtin_cpu_supports("avx512bf16")) return found;
    found |= 1u << CS_ISA_AVX512_BF16;
    return has_amx() ? found | 1u << CS_ISA_AMX : found;
}

#elif defined(__aarch64__)

/// Bits of the auxiliary vector. Source: Linux, arch/arm64/include/uapi/asm/hwcap.h.
static unsigned find_levels(void) {
    unsigned found = 1u << CS_ISA_PORTABLE | 1u << CS_ISA_NEON;
#if defined(__linux__)
    const unsigned long dot_products = 1ul << 20, both = 1ul << 13 | 1ul << 14;  // ASIMDDP; I8MM and BF16
    if (!(getauxval(AT_HWCAP) & dot_products)) return found;
    found |= 1u << CS_ISA_NEON_DOT;
    if ((getauxval(AT_HWCAP2) & both) == both) found |= 1u << CS_ISA_NEON_BF16;
#endif
    return found;
}

#else

static unsigned find_levels(void) { return 1u << CS_ISA_PORTABLE; }

#endif

/// CPUID is slow in a virtual machine, and packing asks for each run of rows: found once.
static unsigned levels(void) {
    static atomic_uint known;
    unsigned found = atomic_load_explicit(&known, memory_order_relaxed);
    if (found == 0) {
        found = find_levels();
        atomic_store_explicit(&known, found, memory_order_relaxed);
    }
    return found;
}

bool cs_isa_supported(cs_isa isa) { return isa >= 0 && isa < CS_ISA_COUNT && (levels() >> isa & 1); }

cs_isa cs_isa_best(void) {
    static const cs_isa order[] = {
        CS_ISA_AMX,      CS_ISA_AVX512_BF16, CS_ISA_AVX512_VNNI, CS_ISA_AVX512, CS_ISA_AVX_VNNI,
        CS_ISA_AVX2,     CS_ISA_NEON_BF16,   CS_ISA_NEON_DOT,    CS_ISA_NEON,
    };
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (cs_isa_supported(order[i])) return order[i];
    return CS_ISA_PORTABLE;
}

const char *cs_isa_name(cs_isa isa) {
    static const char *const names[CS_ISA_COUNT] = {
        "portable", "avx2", "avx512", "avx512bf16", "neon", "avxvnni", "avx512vnni", "amx", "neondot", "neonbf16",
    };
    return isa >= 0 && isa < CS_ISA_COUNT ? names[isa] : "unknown";
}
