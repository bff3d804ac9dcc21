"""Which number format a backbone computes in."""

from pathlib import Path

from tasks.features.parameters import Precision

BF16_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})
CPU_INFO = Path("/proc/cpuinfo")


def cpu_flags(cpu_info: Path = CPU_INFO) -> frozenset[str]:
    """Instruction sets of this machine's CPU; empty where the kernel does not list them."""
    try:
        lines = cpu_info.read_text().splitlines()
    except OSError:
        return frozenset()
    flags = next((line for line in lines if line.startswith("flags")), "")
    return frozenset(flags.partition(":")[2].split())


def resolve(precision: str) -> Precision:
    """`auto` becomes bfloat16 on CPUs that multiply it natively, float32 elsewhere.

    Measured in docs/performance.md: with those instructions bfloat16 is several times as fast at
    the same accuracy, without them it is slower.
    """
    if precision == "auto":
        return "bfloat16" if cpu_flags() & BF16_FLAGS else "float32"
    return "bfloat16" if precision == "bfloat16" else "float32"
