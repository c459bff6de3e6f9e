"""Does a model fit a GPU: weights plus KV cache against the memory that the server may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GIB = 2**30

DType = Literal["bfloat16", "float16"]
BYTES_PER_NUMBER = 2
"""Of both dtypes, in the weights and in the KV cache."""

WORKSPACE_BYTES = int(1.5 * GIB)
"""Per GPU, for activations, CUDA graphs and the CUDA context: what vLLM reports beside weights
and cache for models of this size (https://docs.vllm.ai/en/latest/configuration/conserving_memory/).
"""


@dataclass(frozen=True)
class ModelProfile:
    """What is known of a model: its identity, its shape, and how its authors want it run."""

    hub_id: str
    """Hugging Face id."""
    parameters: int
    layers: int
    attention_heads: int
    kv_heads: int
    head_size: int
    intermediate_size: int
    """Width of the feed-forward layers."""
    context_length: int
    """Longest context of the model, in tokens."""
    max_length: int
    """Context length to serve by default, in tokens."""
    dtype: DType
    arguments: tuple[str, ...] = ()
    """Flags that the model needs of vLLM."""
    sampling: tuple[tuple[str, float | int], ...] = ()
    """The authors' sampling defaults, by their names in `generation_config.json`."""

    @property
    def weight_bytes(self) -> int:
        return self.parameters * BYTES_PER_NUMBER

    @property
    def cache_bytes_per_token(self) -> int:
        """Keys and values of one token in all layers."""
        return 2 * self.layers * self.kv_heads * self.head_size * BYTES_PER_NUMBER

    def divides_over(self, gpus: int) -> bool:
        """Whether tensor parallelism can give every GPU an equal part. More GPUs than key-value
        heads hold copies of them, all equally many."""
        heads = self.kv_heads % gpus == 0 or gpus % self.kv_heads == 0
        return heads and self.attention_heads % gpus == 0 and self.intermediate_size % gpus == 0


@dataclass(frozen=True)
class Gpu:
    """A GPU product, named as NVIDIA's GPU feature discovery labels its nodes."""

    product: str
    """Value of the node label nvidia.com/gpu.product."""
    memory_mib: int
    bfloat16: bool = True
    """From compute capability 8.0 on (Ampere)."""


GPUS = {
    gpu.product: gpu
    for gpu in (
        Gpu("Tesla-T4", 15360, bfloat16=False),
        Gpu("Tesla-V100-SXM2-16GB", 16384, bfloat16=False),
        Gpu("NVIDIA-A10", 23028),
        Gpu("NVIDIA-A10G", 23028),
        Gpu("NVIDIA-L4", 23034),
        Gpu("NVIDIA-L40S", 46068),
        Gpu("NVIDIA-A100-SXM4-40GB", 40960),
        Gpu("NVIDIA-A100-SXM4-80GB", 81920),
        Gpu("NVIDIA-A100-80GB-PCIe", 81920),
        Gpu("NVIDIA-H100-80GB-HBM3", 81559),
        Gpu("NVIDIA-H100-PCIe", 81559),
        Gpu("NVIDIA-H200", 143771),
        Gpu("NVIDIA-B200", 183359),
    )
}
"""Products by label value, with the memory that nvidia-smi reports, in MiB."""


@dataclass(frozen=True)
class Demand:
    """The GPU memory that serving a model takes."""

    profile: ModelProfile
    max_length: int
    """Tokens of context of one sequence."""
    sequences: int
    """Sequences of that length held at once."""
    gpus: int
    """GPUs that share weights and cache (tensor parallelism)."""
    utilization: float
    """Part of each GPU's memory that the server may take."""

    @property
    def cache_bytes_per_token(self) -> int:
        """On all GPUs together. More GPUs than key-value heads hold copies of them."""
        return self.profile.cache_bytes_per_token * max(1, self.gpus // self.profile.kv_heads)

    @property
    def cache_bytes(self) -> int:
        """On all GPUs together."""
        return self.cache_bytes_per_token * self.max_length * self.sequences

    @property
    def bytes_per_gpu(self) -> int:
        return (self.profile.weight_bytes + self.cache_bytes) // self.gpus + WORKSPACE_BYTES

    def division_problem(self) -> str | None:
        """Why tensor parallelism cannot divide the model over the GPUs, or None."""
        profile, heads = self.profile, self.profile.attention_heads
        if profile.divides_over(self.gpus):
            return None
        counts = [str(count) for count in range(1, heads + 1) if profile.divides_over(count)]
        return (
            f"{heads} attention heads, {profile.kv_heads} key-value heads and a width of "
            f"{profile.intermediate_size} do not all divide over {self.gpus} GPUs; use one of "
            f"{', '.join(counts)}"
        )

    def problem(self, gpu: Gpu) -> str | None:
        """Why this does not fit, with the numbers and what would, or None."""
        usable = int(gpu.memory_mib * 2**20 * self.utilization)
        if self.bytes_per_gpu <= usable:
            return None
        left = (usable - WORKSPACE_BYTES) * self.gpus - self.profile.weight_bytes
        fits = max(0, left) // (self.cache_bytes_per_token * self.max_length)
        remedy = (
            f"lower runtime.maxSequences to {fits} or runtime.maxLength, or take a larger GPU"
            if fits
            else "lower runtime.maxLength, or take a larger GPU or more of them"
        )
        return (
            f"{self.profile.hub_id} does not fit {self.gpus} x {gpu.product}: weights "
            f"{self.profile.weight_bytes / GIB:.1f} GiB + KV cache {self.cache_bytes / GIB:.1f} GiB"
            f" ({self.sequences} sequences of {self.max_length} tokens at "
            f"{self.cache_bytes_per_token / 1024:.0f} KiB) + workspace "
            f"{WORKSPACE_BYTES / GIB:.1f} GiB a GPU need {self.bytes_per_gpu / GIB:.1f} GiB a GPU, "
            f"of which {usable / GIB:.1f} GiB are usable "
            f"({self.utilization:.0%} of {gpu.memory_mib / 1024:.1f}); {remedy}"
        )
