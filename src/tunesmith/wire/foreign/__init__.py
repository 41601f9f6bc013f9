"""Recipes of other programs: read from Axolotl and LLaMA-Factory, written for Axolotl. Nothing is lost without a word."""

from tunesmith.wire.foreign.axolotl_reading import read_axolotl
from tunesmith.wire.foreign.axolotl_writing import write_axolotl
from tunesmith.wire.foreign.carrying import Carried, Imported, LeftOut
from tunesmith.wire.foreign.llamafactory_reading import read_llamafactory

__all__ = ["Carried", "Imported", "LeftOut", "read_axolotl", "read_llamafactory", "write_axolotl"]
