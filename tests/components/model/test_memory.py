"""The arithmetic, against numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.model.memory import GIB, GPUS, WORKSPACE_BYTES, Demand, Gpu, ModelProfile
from stacks.presets import PRESETS

SMALL = ModelProfile(
    hub_id="example/small",
    parameters=2 * GIB,
    layers=32,
    attention_heads=16,
    kv_heads=4,
    head_size=128,
    intermediate_size=6144,
    context_length=32768,
    max_length=8192,
    dtype="bfloat16",
)
"""4 GiB of weights; 2 x 32 x 4 x 128 x 2 = 65,536 bytes of cache a token."""


def demand(sequences: int, gpus: int = 1, max_length: int = 8192) -> Demand:
    return Demand(SMALL, max_length, sequences, gpus, utilization=0.9)


def gpu(gibibytes: int) -> Gpu:
    return Gpu("Test-GPU", gibibytes * 1024)


def test_weights_are_two_bytes_a_parameter() -> None:
    assert SMALL.weight_bytes == 4 * GIB


def test_the_cache_of_a_token_is_keys_and_values_of_all_layers() -> None:
    assert SMALL.cache_bytes_per_token == 65_536


def test_the_cache_holds_all_sequences_at_full_length() -> None:
    # 8192 tokens x 64 KiB = 0.5 GiB a sequence.
    assert demand(sequences=16).cache_bytes == 8 * GIB


def test_gpus_share_weights_and_cache_but_not_the_workspace() -> None:
    # (4 + 8) / 2 + 1.5 = 7.5 GiB.
    assert demand(sequences=16, gpus=2).bytes_per_gpu == 7.5 * GIB


def test_a_model_that_fits_to_the_byte_fits() -> None:
    # 4 + 8 + 1.5 = 13.5 GiB, and 90 % of 15 GiB = 13.5 GiB.
    assert demand(sequences=16).problem(gpu(15)) is None
    assert demand(sequences=17).problem(gpu(15)) is not None


def test_a_model_that_does_not_fit_is_refused_with_every_number() -> None:
    # 32 sequences: 4 + 16 + 1.5 = 21.5 GiB a GPU, of which 90 % of 16 GiB = 14.4 are usable.
    message = demand(sequences=32).problem(gpu(16))
    assert message == (
        "example/small does not fit 1 x Test-GPU: weights 4.0 GiB + KV cache 16.0 GiB "
        "(32 sequences of 8192 tokens at 64 KiB) + workspace 1.5 GiB a GPU need 21.5 GiB a GPU, "
        "of which 14.4 GiB are usable (90% of 16.0); lower runtime.maxSequences to 17 or "
        "runtime.maxLength, or take a larger GPU"
    )


def test_the_remedy_fits_and_one_more_does_not() -> None:
    # (14.4 - 1.5 - 4) / 0.5 = 17.8.
    assert demand(sequences=17).problem(gpu(16)) is None
    assert demand(sequences=18).problem(gpu(16)) is not None


def test_where_not_one_sequence_fits_fewer_are_no_remedy() -> None:
    message = demand(sequences=1).problem(gpu(4))
    assert message is not None
    assert "maxSequences" not in message
    assert "larger GPU" in message


def test_more_gpus_than_key_value_heads_hold_copies_of_them() -> None:
    # 4 key-value heads on 8 GPUs are held twice: 8 GiB x 2 / 8 = 2, + 4 / 8 + 1.5 = 4 GiB a GPU.
    assert demand(sequences=16, gpus=4).cache_bytes == 8 * GIB
    assert demand(sequences=16, gpus=8).cache_bytes == 16 * GIB
    assert demand(sequences=16, gpus=8).bytes_per_gpu == 4 * GIB


def test_the_remedy_counts_the_copies_that_more_gpus_than_heads_hold() -> None:
    # 8 GPUs hold two copies, 1 GiB a sequence: (4 x 90 % - 1.5) x 8 - 4 = 12.8 GiB are left.
    message = demand(sequences=16, gpus=8).problem(gpu(4))
    assert message is not None
    assert "16 sequences of 8192 tokens at 128 KiB" in message
    assert "lower runtime.maxSequences to 12 " in message
    assert demand(sequences=12, gpus=8).problem(gpu(4)) is None
    assert demand(sequences=13, gpus=8).problem(gpu(4)) is not None


def test_what_a_model_is_made_of_has_to_divide_over_the_gpus() -> None:
    assert demand(sequences=1, gpus=8).division_problem() is None
    assert demand(sequences=1, gpus=3).division_problem() == (
        "16 attention heads, 4 key-value heads and a width of 6144 do not all divide over 3 GPUs; "
        "use one of 1, 2, 4, 8, 16"
    )


@pytest.mark.parametrize(
    ("shape", "counts"),
    [
        # Three GPUs would hold 1 1/3 key-value heads each, though 12 attention heads divide by 3.
        ({"attention_heads": 12, "kv_heads": 4}, [1, 2, 4, 12]),
        ({"attention_heads": 12, "kv_heads": 2}, [1, 2, 4, 6, 12]),
        ({"attention_heads": 12, "kv_heads": 2, "intermediate_size": 8960}, [1, 2, 4]),
    ],
)
def test_heads_copies_of_heads_and_width_each_have_their_say(
    shape: dict[str, int], counts: list[int]
) -> None:
    profile = replace(SMALL, **shape)  # type: ignore[arg-type]
    assert [count for count in range(1, 17) if profile.divides_over(count)] == counts


def test_the_numbers_of_a_preset_make_its_number_of_parameters() -> None:
    # Embeddings in and out, then a layer: queries and output, keys and values, biases or norms of
    # them, the three matrices of its feed-forward part, and two norms; a norm at the end.
    def parameters(name: str, hidden: int, embeddings: int, small: int) -> int:
        profile = PRESETS[name]
        queries = profile.attention_heads * profile.head_size
        keys = profile.kv_heads * profile.head_size
        attention = 2 * hidden * (queries + keys) + small
        layer = attention + 3 * hidden * profile.intermediate_size + 2 * hidden
        return embeddings * hidden + profile.layers * layer + hidden

    qwen, hunyuan = "deepseek-r1-distill-qwen-1.5b", "hy-mt1.5-1.8b"
    found = parameters(qwen, hidden=1536, embeddings=2 * 151_936, small=1536 + 2 * 256)
    assert found == PRESETS[qwen].parameters
    found = parameters(hunyuan, hidden=2048, embeddings=120_818, small=2 * 128)
    assert found == PRESETS[hunyuan].parameters


def test_the_deepseek_preset_takes_28_kib_a_token() -> None:
    # 2 x 28 layers x 2 heads x 128 x 2 bytes = 28,672 bytes; 1.777 billion x 2 bytes = 3.3 GiB.
    profile = PRESETS["deepseek-r1-distill-qwen-1.5b"]
    assert profile.cache_bytes_per_token == 28_672
    assert round(profile.weight_bytes / GIB, 1) == 3.3


def test_the_translation_preset_takes_64_kib_a_token() -> None:
    profile = PRESETS["hy-mt1.5-1.8b"]
    assert profile.cache_bytes_per_token == 65_536


@pytest.mark.parametrize("product", ["Tesla-T4", "Tesla-V100-SXM2-16GB"])
def test_gpus_before_ampere_have_no_bfloat16(product: str) -> None:
    assert not GPUS[product].bfloat16
    assert GPUS["NVIDIA-L4"].bfloat16


def test_gpus_are_found_by_their_own_name() -> None:
    assert all(name == gpu.product for name, gpu in GPUS.items())


def test_the_workspace_is_the_documented_gib_and_a_half() -> None:
    assert WORKSPACE_BYTES == 1.5 * GIB
