"""Attention document by document: packed sequences without a quadratic mask.

transformers draws a mask of width × width for packed sequences, of which most is empty: a token sees only what came before it in
its own document. Here the mask function of transformers' attention interface finds out where documents lie and answers that in
place of a mask, and the attention function runs causal attention over each of them. Work and memory grow with the documents'
lengths, not with the sequence's.

Whatever is not plain causal attention inside documents keeps its mask: the function that transformers draws the mask with is asked
at each place (see ``Documents.find``), so sliding windows shorter than a document, chunks and blocks that see ahead are noticed.
Soft-capped scores are computed in the open. A model that does something of its own with masks fails the rehearsal in
``attend_by_document`` and stays as it was.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import torch
import torch.nn.functional as F
from peft import PeftModel
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import causal_mask_function, sdpa_mask

NAME = "documents"
"""How transformers knows this attention."""
REHEARSED = ((5, 1, 9, 2), (11, 3, 1, 1, 1))
"""Lengths of the documents in the lines that a model is tried on."""
ALIKE = {torch.float32: 1e-4, torch.bfloat16: 5e-2}
"""Largest difference to attention by mask, as a share of the largest state, by the format that is computed in."""

MaskFunction = Callable[..., torch.Tensor]
"""(line, head, query place, key place) → whether the one sees the other; indices are tensors that broadcast."""


class Documents:
    """Where the documents of a batch lie; stands in the place of an attention mask.

    ``lengths`` are those of all lines, end to end; a line ends with a document.
    """

    def __init__(self, lengths: list[int], lines: int, width: int, device: torch.device) -> None:
        self.lengths, self.lines, self.width, self.device = lengths, lines, width, device

    @classmethod
    def find(cls, sees: MaskFunction, lines: int, width: int, device: torch.device | str) -> Documents | None:
        """The documents that ``sees`` describes; None when it is anything but causal attention inside documents.

        Each place is asked four questions: whether it sees its document's first place, itself, the place before the document
        and the next one. What sees an unbroken run of places (as every mask that is given as a function of places does) and
        answers yes, yes, no, no sees exactly its document's past.
        """
        line = torch.arange(lines, device=device)[:, None]
        place = torch.arange(width, device=device)[None].expand(lines, -1)
        head = torch.zeros(1, 1, dtype=torch.long, device=device)

        def ask(query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
            return sees(line, head, query, key).expand_as(query)

        begins = torch.ones(lines, width, dtype=torch.bool, device=device)
        begins[:, 1:] = ~ask(place[:, 1:], place[:, :-1])
        first = torch.where(begins, place, 0).cummax(dim=1).values
        is_causal = ask(place, first).all() & ask(place, place).all() & ~ask(place[:, :-1], place[:, 1:]).any()
        alone = ~(ask(place, (first - 1).clamp(min=0)) & (first > 0)).any()
        if not bool(is_causal & alone):
            return None
        starts = begins.flatten().nonzero().squeeze(1)
        ends = torch.cat([starts[1:], starts.new_tensor([lines * width])])
        return cls((ends - starts).tolist(), lines, width, torch.device(device))

    @functools.cached_property
    def runs(self) -> list[tuple[int, int]]:
        """Neighbours of equal length as (length, how many): they share one call."""
        return [(length, sum(1 for _ in group)) for length, group in groupby(self.lengths)]

    @functools.cached_property
    def borders(self) -> torch.Tensor:
        """Where documents begin, and the end of the last one: int32, shape (documents + 1,)."""
        return F.pad(torch.tensor(self.lengths, device=self.device).cumsum(0), (1, 0)).to(torch.int32)

    @functools.cached_property
    def mask(self) -> torch.Tensor:
        """The mask that this stands for: bool, shape (lines, 1, width, width)."""
        lengths = torch.tensor(self.lengths, device=self.device)
        document = torch.arange(len(lengths), device=self.device).repeat_interleave(lengths)
        document = document.view(self.lines, 1, self.width)
        causal = torch.ones(self.width, self.width, dtype=torch.bool, device=self.device).tril()
        return ((document[..., :, None] == document[..., None, :]) & causal).view(self.lines, 1, self.width, self.width)


def documents_mask(
    batch_size: int,
    q_length: int,
    kv_length: int,
    q_offset: Any = 0,
    kv_offset: Any = 0,
    mask_function: MaskFunction = causal_mask_function,
    attention_mask: torch.Tensor | None = None,
    allow_is_causal_skip: bool = True,
    use_vmap: bool = False,
    device: torch.device | str = "cpu",
    **rest: Any,
) -> Documents | torch.Tensor | None:
    """What transformers asks for in place of a mask: documents where there are some, else what its own attention would get."""
    is_packed = attention_mask is None and not allow_is_causal_skip and not use_vmap and q_length == kv_length
    if is_packed and isinstance(q_offset, int) and isinstance(kv_offset, int) and q_offset == kv_offset == 0:
        documents = Documents.find(mask_function, batch_size, q_length, device)
        if documents is not None:
            return documents
    return sdpa_mask(
        batch_size=batch_size,
        q_length=q_length,
        kv_length=kv_length,
        q_offset=q_offset,
        kv_offset=kv_offset,
        mask_function=mask_function,
        attention_mask=attention_mask,
        allow_is_causal_skip=allow_is_causal_skip,
        use_vmap=use_vmap,
        device=device,
        **rest,
    )


@torch.compiler.disable
def documents_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: Documents | torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **rest: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of transformers' interface: states come as (lines, heads, width, size) and leave as (lines, width, heads, size)."""
    softcap = rest.pop("softcap", None)
    if not isinstance(attention_mask, Documents) or rest.get("position_bias") is not None:
        mask = attention_mask.mask if isinstance(attention_mask, Documents) else attention_mask
        if softcap is not None:
            return _capped(query, key, value, mask, softcap, dropout, scaling).transpose(1, 2).contiguous(), None
        return sdpa_attention_forward(module, query, key, value, mask, dropout=dropout, scaling=scaling, **rest)
    kind = query.device.type
    if torch.is_autocast_enabled(kind):  # once for all documents
        query, key, value = (states.to(torch.get_autocast_dtype(kind)) for states in (query, key, value))
    q, k, v = (states.transpose(1, 2).flatten(0, 1) for states in (query, key, value))
    if softcap is None and not dropout and varlen_works(kind, query.dtype, query.shape[-1]):
        out = _varlen(q, k, v, attention_mask, scaling)
    else:
        out = _by_run(q, k, v, attention_mask, dropout, scaling, softcap)
    return out.unflatten(0, query.shape[:1] + query.shape[2:3]), None


def _by_run(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    documents: Documents,
    dropout: float,
    scaling: float | None,
    softcap: float | None,
) -> torch.Tensor:
    """Tokens as (tokens, heads, size): one call of torch's own attention for each run of documents of one length."""
    groups = query.shape[1] // key.shape[1]
    sizes = [length * count for length, count in documents.runs]
    pieces = zip(*(states.split(sizes) for states in (query, key, value)), documents.runs, strict=True)
    out = []
    for q, k, v, (length, count) in pieces:
        if length == 1:  # it sees itself only (padding is made of these)
            out.append(v.repeat_interleave(groups, dim=1) if groups > 1 else v)
            continue
        q, k, v = (states.unflatten(0, (count, length)).transpose(1, 2) for states in (q, k, v))
        if softcap is not None:
            seen = torch.ones(length, length, dtype=torch.bool, device=q.device).tril()
            piece = _capped(q, k, v, seen, softcap, dropout, scaling)
        else:
            piece = F.scaled_dot_product_attention(
                q, k, v, is_causal=True, dropout_p=dropout, scale=scaling, enable_gqa=groups > 1
            )
        out.append(piece.transpose(1, 2).flatten(0, 1))
    return torch.cat(out)


def _capped(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    softcap: float,
    dropout: float,
    scaling: float | None,
) -> torch.Tensor:
    """Attention whose scores are softcap · tanh(score / softcap) (Gemma 2, arXiv 2408.00118): (lines, heads, width, size)."""
    groups = query.shape[1] // key.shape[1]
    key, value = (states.repeat_interleave(groups, dim=1) if groups > 1 else states for states in (key, value))
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    scores = softcap * torch.tanh(query @ key.transpose(2, 3) * scale / softcap)
    if mask is None:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril(
            scores.shape[-1] - scores.shape[-2]
        )
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min) if mask.dtype == torch.bool else scores + mask
    weights = F.softmax(scores, dim=-1, dtype=torch.float32).to(value.dtype)
    return F.dropout(weights, dropout) @ value


def _varlen(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, documents: Documents, scaling: float | None
) -> torch.Tensor:
    """All documents in one kernel: torch's flash attention over sequences of different lengths."""
    from torch.nn.attention.varlen import varlen_attn

    longest, borders = max(documents.lengths), documents.borders
    out = varlen_attn(
        query,
        key,
        value,
        borders,
        borders,
        longest,
        longest,
        scale=scaling,
        window_size=(-1, 0),
        enable_gqa=query.shape[1] != key.shape[1],
    )
    assert isinstance(out, torch.Tensor)
    return out


@functools.cache
def varlen_works(kind: str, dtype: torch.dtype, size: int) -> bool:
    """Whether the kernel for sequences of different lengths is there and right: tried once, beside document by document."""
    if kind != "cuda" or dtype not in (torch.float16, torch.bfloat16):
        return False
    documents = Documents([7, 1, 24], 1, 32, torch.device(kind))
    generator = torch.Generator(kind).manual_seed(0)
    shape = (3, 32, 2, size)
    states = torch.randn(shape, dtype=dtype, device=kind, generator=generator).requires_grad_()
    try:
        found = []
        q, k, v = states
        for out in (_varlen(q, k, v, documents, None), _by_run(q, k, v, documents, 0.0, None, None)):
            (gradient,) = torch.autograd.grad(out.float().square().sum(), states)
            found.append((out, gradient))
    except (RuntimeError, ImportError, ValueError):
        return False
    return all(torch.allclose(a, b, atol=0.05, rtol=0.05) for a, b in zip(*found, strict=True))


def base_model(model: Any) -> Any:
    """The model of transformers in ``model``, which PEFT may have put an adapter into."""
    return model.get_base_model() if isinstance(model, PeftModel) else model


def attend_by_document(model: Any, compute: torch.dtype | None) -> bool:
    """Let ``model`` attend document by document if that gives what attention by mask gives; answers whether it does now.

    Both are tried on a small packed batch; a model that handles masks in its own way stays as it was. ``compute`` is the format
    of matrix products (None: float32). No random number is drawn.
    """
    whole = base_model(model)
    before = whole.config._attn_implementation
    if before not in ("sdpa", "eager") or not whole._can_set_attn_implementation():
        return False
    AttentionInterface.register(NAME, documents_attention)
    AttentionMaskInterface.register(NAME, documents_mask)
    try:
        wanted = _states(whole, compute)
        whole.set_attn_implementation(NAME)
        found = _states(whole, compute)
    except (RuntimeError, TypeError, AttributeError, ValueError, KeyError):
        whole.set_attn_implementation(before)
        return False
    alike = float((found - wanted).abs().max()) <= ALIKE[compute or torch.float32] * float(wanted.abs().max())
    if not alike:
        whole.set_attn_implementation(before)
    return alike


def attends_by_document(model: Any) -> bool:
    """Whether ``attend_by_document`` has taken effect."""
    return bool(model.config._attn_implementation == NAME)


def _states(whole: Any, compute: torch.dtype | None) -> torch.Tensor:
    """The last hidden states of a small packed batch: (lines, width, hidden size) in float32."""
    device = next(whole.parameters()).device
    positions = torch.stack([torch.cat([torch.arange(n) for n in lengths]) for lengths in REHEARSED]).to(device)
    vocabulary = whole.get_input_embeddings().num_embeddings
    ids = (torch.arange(positions.numel(), device=device).view_as(positions) * 7 + 3) % vocabulary
    body = getattr(whole, whole.base_model_prefix)
    with torch.no_grad(), without_dropout(whole), torch.autocast(device.type, compute, enabled=compute is not None):
        states: torch.Tensor = body(input_ids=ids, position_ids=positions, use_cache=False).last_hidden_state
    return states.float()


@contextmanager
def without_dropout(model: Any) -> Iterator[None]:
    """Each module's mode is what it was afterwards."""
    learning = [m for m in model.modules() if m.training]
    for module in learning:
        module.training = False
    try:
        yield
    finally:
        for module in learning:
            module.training = True
