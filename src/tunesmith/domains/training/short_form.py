"""The short form of a fine-tuning job, turned into a recipe, and a recipe's settings flattened back into its words."""

from __future__ import annotations

import difflib
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, RootModel, Tag, model_validator
from pydantic_core import PydanticCustomError, ValidationError

from tunesmith.domains.training.errors import UnsupportedMethod
from tunesmith.domains.training.schemas import Id
from tunesmith.wire.methods import SECTIONS
from tunesmith.wire.recipe import Recipe
from tunesmith.wire.recipe_text import RecipeError, validate_recipe

ADAPTERS = ("full", "lora", "qlora")
METHODS = (*ADAPTERS, "dpo", "orpo", "kto", "reward", "grpo", "cpt")
"""An adapter, for supervised fine-tuning, or an objective, which then trains the adapter of the hyperparameters."""
SETTINGS: dict[str, str] = {
    "lora_rank": "method.lora.r",
    "lora_alpha": "method.lora.alpha",
    "lora_dropout": "method.lora.dropout",
    "target_modules": "method.lora.target_modules",
    "use_rslora": "method.lora.use_rslora",
    "use_dora": "method.lora.use_dora",
    "num_epochs": "training.epochs",
    "max_steps": "training.max_steps",
    "batch_size": "training.batch_size",
    "gradient_accumulation_steps": "training.gradient_accumulation_steps",
    "learning_rate": "training.learning_rate",
    "scheduler": "training.scheduler",
    "warmup_ratio": "training.warmup_ratio",
    "weight_decay": "training.weight_decay",
    "max_grad_norm": "training.max_grad_norm",
    "max_length": "training.max_length",
    "packing": "training.packing",
    "precision": "training.precision",
    "gradient_checkpointing": "training.gradient_checkpointing",
    "logging_steps": "training.logging_steps",
    "eval_steps": "training.eval_steps",
    "save_steps": "training.save_steps",
    "keep_last_n": "training.keep_last_n",
    "metric_for_best": "training.metric_for_best",
    "seed": "seed",
    "adapter": "method.adapter",
    "quantization_type": "method.quantization.type",
    "double_quantization": "method.quantization.double",
    "compute_dtype": "method.quantization.compute_dtype",
}
"""Names of hyperparameters, and the key of the recipe that each one sets. Answers use these names."""
OF_OBJECTIVES = {f"{name}.{key}": (name, key) for name, section in SECTIONS.items() for key in section.model_fields}
"""Settings of one objective: ``dpo.beta``; under a method of that name the first part may be left out."""
ALIASES = {
    "lora_r": "lora_rank",
    "epochs": "num_epochs",
    "micro_batch_size": "batch_size",
    "lr_scheduler": "scheduler",
    "max_seq_length": "max_length",
    "sequence_len": "max_length",
    "lora_target_modules": "target_modules",
    "bnb_4bit_quant_type": "quantization_type",
    "bnb_4bit_use_double_quant": "double_quantization",
    "bnb_4bit_compute_dtype": "compute_dtype",
}
"""Other spellings that are taken in."""
DECIDED_WITH = {
    "lora_alpha": ("method.lora.r",),
    "num_epochs": ("training.max_steps",),
    "max_steps": ("training.epochs",),
    "gradient_accumulation_steps": ("training.batch_size",),
    "eval_steps": ("training.max_steps", "training.epochs"),
    "save_steps": ("training.max_steps", "training.epochs"),
}
"""What is not recommended beside these settings, since it belongs to them."""


class JobForm(BaseModel):
    """The short form."""

    model_config = ConfigDict(extra="forbid")
    job_name: str = Field(min_length=1, max_length=200, description="A name that people recognise.")
    base_model: str = Field(min_length=1, max_length=1024, description="The model to start from.")
    dataset_id: Id = Field(description="Dataset to train on.")
    method: str = Field("lora", max_length=50, description=f"One of {', '.join(METHODS)}.", examples=list(METHODS))
    hyperparameters: dict[str, Any] = Field(
        default_factory=dict,
        description=f"Any of {', '.join(SETTINGS)}; what is left out is recommended for the model and the data.",
    )

    gpu_ids: list[int] | None = Field(None, description="GPUs to use, by number; one process for each.")
    resume_from_checkpoint: Id | None = Field(
        None,
        description="Checkpoint of another run to go on from, by its id; hyperparameters that are left out are that run's.",
    )

    @property
    def objective(self) -> str:
        """What is learnt."""
        return "sft" if self.method in ADAPTERS else self.method

    @property
    def adapter(self) -> str:
        """What of the model is trained."""
        return self.method if self.method in ADAPTERS else str(self.hyperparameters.get("adapter") or "lora")

    def to_recipe(self, train: str, recommended: dict[str, Any]) -> Recipe:
        """The recipe that it stands for, with ``train`` as the reference of the dataset; raises RecipeError.

        ``recommended`` has values for the hyperparameters that are left out, by their names in ``SETTINGS``.
        """
        data: dict[str, Any] = {
            "name": self.job_name,
            "model": {"base": self.base_model},
            "data": {"train": train},
            "method": {"adapter": self.method} if self.method in ADAPTERS else {"objective": self.method},
        }
        if self.gpu_ids is not None:
            data["resources"] = {"gpu_ids": self.gpu_ids}
        for name, path, value in self._settings():
            section, key = _place(data, path)
            if path == "method.adapter" and section.get(key, value) != value:
                raise _fault(f"hyperparameters.{name}", f"method {self.method} is an adapter of its own", value)
            if key in section and path != "method.adapter":
                raise _fault(f"hyperparameters.{name}", "the same setting is given under two names", value)
            section[key] = value
        given = {path for _name, path, _value in self._settings()}
        for name, value in recommended.items():
            if name not in SETTINGS:  # what only one objective reads is not recommended
                continue
            section, key = _place(data, SETTINGS[name])
            if not given & set(DECIDED_WITH.get(name, ())):
                section.setdefault(key, value)
        try:
            return validate_recipe(data, name="hyperparameters")
        except RecipeError as error:
            names = {path: f"hyperparameters.{name}" for name, path in SETTINGS.items()}
            faults = [fault | {"location": names.get(fault["location"], fault["location"])} for fault in error.errors]
            words = "; ".join(f"{fault['location']}: {fault['message']}" for fault in faults)
            raise RecipeError(f"{words}.", errors=faults) from None

    def _settings(self) -> list[tuple[str, str, Any]]:
        found = []
        for name, value in self.hyperparameters.items():
            path = SETTINGS.get(ALIASES.get(name, name)) or self._of_objective(name)
            if path is None:
                near = difflib.get_close_matches(name, [*SETTINGS, *ALIASES], n=1, cutoff=0.5)
                meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(SETTINGS)}"
                raise _fault(f"hyperparameters.{name}", f"there is no such hyperparameter; {meant}", value)
            if value is not None:
                found.append((name, path, value))
        return found

    def _of_objective(self, name: str) -> str | None:
        """The key of a setting that only one objective reads."""
        objective, key = OF_OBJECTIVES.get(name) or OF_OBJECTIVES.get(f"{self.method}.{name}") or (None, None)
        return f"method.{objective}.{key}" if objective else None


def _place(data: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    """The section of a dotted path, made where there is none, and the last name."""
    *folders, key = path.split(".")
    for folder in folders:
        data = data.setdefault(folder, {})
    return data, key


def _fault(location: str, message: str, value: Any = None) -> RecipeError:
    return RecipeError(f"{location}: {message}.", errors=[{"location": location, "message": message, "value": value}])


def _kind_of_body(body: Any) -> str:
    if isinstance(body, JobForm) or (isinstance(body, dict) and ("job_name" in body or "base_model" in body)):
        return "form"
    return "recipe"


class FinetuningJobCreate(
    RootModel[
        Annotated[Annotated[JobForm, Tag("form")] | Annotated[Recipe, Tag("recipe")], Discriminator(_kind_of_body)]
    ]
):
    """A recipe, or the short form."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "first", "model": {"base": "tunesmith/tiny"}, "data": {"train": "dataset:harbour@1.0"}},
                {
                    "job_name": "first",
                    "base_model": "tunesmith/tiny",
                    "dataset_id": 1,
                    "hyperparameters": {"lora_rank": 16},
                },
            ]
        }
    )

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, body: Any, _handler: Any) -> FinetuningJobCreate:
        """Read the body with our own words for each fault, instead of those for a union."""
        if not isinstance(body, dict):
            raise PydanticCustomError("finetuning_body", "give a recipe or the short form, as an object")
        if _kind_of_body(body) == "recipe":
            return cls.model_construct(root=validate_recipe(body))
        method = body.get("method", "lora")
        if isinstance(method, str) and method not in METHODS:
            raise UnsupportedMethod(
                f"method {method[:50]!r} is not supported; this version has {', '.join(METHODS)}.",
                errors=[
                    {"location": "method", "message": f"must be one of {', '.join(METHODS)}", "value": method[:50]}
                ],
            )
        try:
            return cls.model_construct(root=JobForm.model_validate(body))
        except ValidationError as error:
            raise _form_error(error) from None


def _form_error(error: ValidationError) -> RecipeError:
    faults = []
    for found in error.errors(include_url=False, include_context=False):
        location = ".".join(str(part) for part in found["loc"])
        message = {"missing": "is missing", "extra_forbidden": "there is no such field"}.get(
            found["type"], found["msg"][:1].lower() + found["msg"][1:]
        )
        if found["type"] == "extra_forbidden":
            near = difflib.get_close_matches(location, JobForm.model_fields, n=1, cutoff=0.5)
            message += f"; did you mean {near[0]}?" if near else f"; there are {', '.join(JobForm.model_fields)}"
        faults.append({"location": location, "message": message})
    return RecipeError("; ".join(f"{f['location']}: {f['message']}" for f in faults) + ".", errors=faults)


def hyperparameters_of(recipe: dict[str, Any]) -> dict[str, Any]:
    """The settings of a recipe, flat, each under its one name; what is not set is left out."""
    found = {}
    for name, path in SETTINGS.items():
        value: Any = recipe
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            found[name] = value
    method = recipe.get("method") or {}
    for name, (objective, key) in OF_OBJECTIVES.items():
        value = (method.get(objective) or {}).get(key)
        if value is not None:
            found[name] = value
    return found


def method_of(recipe: dict[str, Any]) -> str:
    """The one word for how a recipe trains: the adapter of a supervised run, else the objective."""
    method = recipe["method"]
    return str(method["adapter"] if method.get("objective", "sft") == "sft" else method["objective"])
