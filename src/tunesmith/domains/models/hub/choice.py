"""Which files of a hub's model are fetched: what it takes to load it, weights as safetensors only, and its card."""

from __future__ import annotations

from pathlib import PurePosixPath

from tunesmith.domains.models.errors import ModelInvalid, PickleWeights, RemoteCode
from tunesmith.ports.hub import HubFile, HubModel

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
WANTED = (".json", ".safetensors", ".model", ".jinja", ".txt", ".md")
OTHER_FORMS = ("consolidated", "onnx", "flax_model", "tf_model", "training_args", "trainer_state", "optimizer")


def chosen_files(model: HubModel) -> list[HubFile]:
    """The files to fetch. Raises ``PickleWeights``, ``RemoteCode`` and ``ModelInvalid`` for what could never be loaded here."""
    top = [file for file in model.files if len(PurePosixPath(file.path).parts) == 1]
    names = {file.path for file in top}
    shown = repr(model.model_id)
    if "config.json" not in names:
        raise ModelInvalid(
            f"{shown} has no config.json, so it is no model folder of transformers.",
            hint="An adapter is used on its base model; a GGUF file is fetched by hand and served by its path.",
        )
    if not any(name.endswith(".safetensors") for name in names):
        pickled = sorted(name for name in names if name.endswith(PICKLES))
        if pickled:
            raise PickleWeights(
                f"{shown} has its weights only as {pickled[0]}, which is a pickle.",
                hint="Fetch that folder by hand and convert it in the sandbox: tunesmith models convert FOLDER.",
            )
        raise ModelInvalid(f"{shown} has no *.safetensors file.")
    if model.config.get("auto_map"):
        raise RemoteCode(f"config.json of {shown} asks for code from its own repository (auto_map).")
    wanted = [file for file in top if file.path.endswith(WANTED) or file.path.upper().startswith(("LICENSE", "NOTICE"))]
    return [file for file in wanted if not file.path.startswith(OTHER_FORMS) and not _is_extra(file.path, names)]


def _is_extra(name: str, names: set[str]) -> bool:
    """Weights that an index leaves out, such as a precision variant beside the shards."""
    if not name.endswith(".safetensors"):
        return False
    if "model.safetensors.index.json" in names:
        return not name.startswith("model-")
    return "model.safetensors" in names and name != "model.safetensors"
