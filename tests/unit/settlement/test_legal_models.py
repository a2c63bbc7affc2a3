"""What a netting is in law: which goes with which mode, and whom a statement names."""

import pytest

from settlement.netting.registry import MODES
from settlement.run.legal import BY_MODE, SENTENCES, LegalModel, counterparty, fits, sentence


def test_every_mode_has_a_model_that_goes_with_it() -> None:
    """And every model has its sentence."""
    assert BY_MODE.keys() == MODES.keys()
    assert all(fits(model, mode) for mode, model in BY_MODE.items())
    assert SENTENCES.keys() == set(LegalModel)


@pytest.mark.parametrize("mode", MODES)
def test_novation_needs_somebody_in_the_middle(mode: str) -> None:
    """Only the star has a clearing account; the other models go with every mode."""
    assert fits(LegalModel.NOVATION, mode) == (mode == "multilateral")
    assert fits(LegalModel.SETOFF_BY_AGENT, mode)
    assert fits(LegalModel.PAYMENT_NETTING, mode)


def test_a_statement_names_the_clearing_account_only_where_it_took_the_others_place() -> None:
    """Elsewhere the debt stands with the merchant it arose with."""
    assert counterparty(LegalModel.NOVATION, "TEL", "OPR") == "OPR"
    assert counterparty(LegalModel.SETOFF_BY_AGENT, "TEL", "OPR") == "TEL"
    assert counterparty(LegalModel.PAYMENT_NETTING, "TEL", "OPR") == "TEL"
    assert "OPR" in sentence(LegalModel.NOVATION, "OPR")
