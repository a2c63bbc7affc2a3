"""Documents that other rooms agree about, put into their proposals on the wire."""

from __future__ import annotations

from settlement.api import default_wire, dispute_wire, exit_wire, funds_wire, fx_wire
from settlement.defaults.model import DefaultDeclaration, DefaultRecovery
from settlement.defaults.write_off_model import DefaultWriteOff
from settlement.disputes.model import AgreedAdjustment, DisputeDecision, DisputePolicy
from settlement.exits.model import ParticipantExit
from settlement.funds.model import FundsMovement, FundsTerms
from settlement.fx.model import FxSet
from settlement.proposals.model import Disputed, Funds
from settlement.v1 import settlement_service_pb2 as pb


def write(found: pb.Proposal, content: Funds | Disputed | FxSet) -> None:
    """Put a document into its proposal."""
    match content:
        case FundsTerms() as funds:
            found.funds_terms.CopyFrom(funds_wire.terms_message(funds))
        case FundsMovement() as movement:
            found.funds_movement.CopyFrom(funds_wire.movement_message(movement))
        case DefaultDeclaration() as declaration:
            found.default_declaration.CopyFrom(default_wire.message(declaration))
        case DefaultRecovery() as recovery:
            found.default_recovery.CopyFrom(default_wire.recovery_message(recovery))
        case DefaultWriteOff() as write_off:
            found.default_write_off.CopyFrom(default_wire.write_off_message(write_off))
        case ParticipantExit() as leaving:
            found.participant_exit.CopyFrom(exit_wire.message(leaving))
        case FxSet() as fx:
            found.fx_set.CopyFrom(fx_wire.fx_set_message(fx))
        case DisputePolicy() | DisputeDecision() | AgreedAdjustment() as about_disputes:
            dispute_wire.write(found, about_disputes)
