"""What a netting is in law, and therefore whom a participant's statement names as the other side."""

from __future__ import annotations

import enum


class LegalModel(enum.StrEnum):
    """The agreement under which debts become net payments."""

    NOVATION = "novation"
    """The clearing account takes every debtor's and every creditor's place."""
    SETOFF_BY_AGENT = "setoff_by_agent"
    """The operator declares set-off in everybody's name; what is left is owed between the participants."""
    PAYMENT_NETTING = "payment_netting"
    """Only the payments are netted: every debt stands as it is until they are made."""


SENTENCES = {
    LegalModel.NOVATION: (
        "Every obligation was replaced by one with the clearing account of {operator}, which is the only counterparty."
    ),
    LegalModel.SETOFF_BY_AGENT: (
        "{operator} declared set-off as agent of the participants; what is left is owed to the counterparty named."
    ),
    LegalModel.PAYMENT_NETTING: (
        "Payments were netted through {operator}; every obligation stands with its counterparty until they are made."
    ),
}
"""What a statement says of it."""

BY_MODE = {
    "gross": LegalModel.PAYMENT_NETTING,
    "bilateral": LegalModel.SETOFF_BY_AGENT,
    "multilateral": LegalModel.NOVATION,
    "direct": LegalModel.SETOFF_BY_AGENT,
    "setoff": LegalModel.SETOFF_BY_AGENT,
}
"""The model a mode has when nobody says otherwise."""


def fits(model: LegalModel, mode: str) -> bool:
    """Whether a mode can be had under a model: where nobody stands in the middle there is nothing to be novated to."""
    return model is not LegalModel.NOVATION or mode == "multilateral"


def counterparty(model: LegalModel, other: str, operator: str) -> str:
    """Whom a participant's statement names: the clearing account where it took the other's place, else the other."""
    return operator if model is LegalModel.NOVATION else other


def sentence(model: LegalModel, operator: str) -> str:
    """What a statement says of it."""
    return SENTENCES[model].format(operator=operator)
