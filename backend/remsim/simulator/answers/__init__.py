"""What a virtual modem answers to which command: one table a family over those of 27.007."""

from __future__ import annotations

from functools import cache

from remsim.simulator.answers.base import Table
from remsim.simulator.answers.card_channel import card_channel_table
from remsim.simulator.answers.common import COMMON
from remsim.simulator.answers.data import DATA
from remsim.simulator.answers.fibocom import FM160, FM350
from remsim.simulator.answers.messages import MESSAGES
from remsim.simulator.answers.network import NETWORK
from remsim.simulator.answers.quectel import quectel_table
from remsim.simulator.answers.sierra import sierra_table
from remsim.simulator.answers.sim import SIM
from remsim.simulator.answers.thales import thales_table
from remsim.simulator.answers.xmm import XMM
from remsim.simulator.models import MODELS, Model

SHARED = COMMON | SIM | NETWORK | DATA | MESSAGES
FAMILIES = {"fm350": FM350, "fm160": FM160, "xmm": XMM, "generic": Table()}


@cache
def table(name: str) -> Table:
    """Every command a model knows besides the settings of its port."""
    model = MODELS[name]
    return SHARED | card_channel_table(model) | family(model)


def family(model: Model) -> Table:
    """The commands of its own."""
    if model.vendor == "quectel":
        return quectel_table(model)
    if model.vendor == "sierra":
        return sierra_table(model)
    if model.vendor == "thales":
        return thales_table(model)
    return FAMILIES[model.family]
