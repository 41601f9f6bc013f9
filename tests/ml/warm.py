"""Imported once by the process from which the tests fork their children."""

import peft  # noqa: F401
import torch  # noqa: F401
import transformers.models.qwen3.modeling_qwen3  # noqa: F401
import trl  # noqa: F401
from trl import SFTTrainer  # noqa: F401
