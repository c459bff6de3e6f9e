"""Known models as data: a preset gives identity, flags, sampling and the numbers to size by.

Each profile's numbers are from the `config.json` of the model on Hugging Face. To add a model, add
an entry.
"""

from __future__ import annotations

from components.model.memory import ModelProfile

PRESETS = {
    # https://huggingface.co/deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B
    "deepseek-r1-distill-qwen-1.5b": ModelProfile(
        hub_id="deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B",
        parameters=1_777_088_000,
        layers=28,
        attention_heads=12,
        kv_heads=2,
        head_size=128,
        intermediate_size=8960,
        context_length=131_072,
        max_length=8192,
        dtype="bfloat16",
        arguments=("--reasoning-parser=deepseek_r1",),
        sampling=(("temperature", 0.6), ("top_p", 0.95)),
    ),
    # https://huggingface.co/tencent/HY-MT1.5-1.8B
    "hy-mt1.5-1.8b": ModelProfile(
        hub_id="tencent/HY-MT1.5-1.8B",
        parameters=1_791_080_448,
        layers=32,
        attention_heads=16,
        kv_heads=4,
        head_size=128,
        intermediate_size=6144,
        context_length=262_144,
        max_length=4096,
        dtype="bfloat16",
        sampling=(
            ("temperature", 0.7),
            ("top_p", 0.6),
            ("top_k", 20),
            ("repetition_penalty", 1.05),
        ),
    ),
}
