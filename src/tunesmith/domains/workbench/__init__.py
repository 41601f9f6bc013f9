"""“The current …” of one person at a keyboard: thin steps onto the services that the control plane uses."""

from tunesmith.domains.workbench.service import ModelBench

__all__ = ["ModelBench"]
