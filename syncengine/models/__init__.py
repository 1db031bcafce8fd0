"""The engine's durable state: a broker message is only a wake-up, these rows are the truth."""

from syncengine.models.attempt import Attempt, AttemptItem, AttemptState, ItemOutcome
from syncengine.models.audit import AuditEvent, AuditKey, AuditSeal
from syncengine.models.call import Call
from syncengine.models.figures import DayFigures, Figures, Troubles
from syncengine.models.flow_state import FlowState
from syncengine.models.hook import Hook, HookDelivery
from syncengine.models.inbox import InboxNotification, NotificationResult, WebhookCounter
from syncengine.models.named_lock import NamedLock
from syncengine.models.notice import Channel, DeliveryState, Notice, NoticeDelivery, NoticeRead
from syncengine.models.period_end import PeriodEnd
from syncengine.models.ping import Ping, PingPlan, PingTrigger
from syncengine.models.plan import SENDING_ACTIONS, ItemFate, Plan, PlanAction, PlanItem
from syncengine.models.posting import PostedDocument, UnlinkedDraw
from syncengine.models.record import OPEN_STATUSES, FoundBy, Record, RecordStatus, Stage
from syncengine.models.repair import Repair, RepairDeed, RepairEntry
from syncengine.models.run import (
    FINAL_STATUSES,
    MODES_TO_ASK_FOR,
    OPEN_RUN_STATUSES,
    Run,
    RunMode,
    RunStatus,
    RunTrigger,
)
from syncengine.models.sandbox import Sandbox, Setup
from syncengine.models.slot import CallSlot
from syncengine.models.tally import Tally

__all__ = [
    "FINAL_STATUSES",
    "MODES_TO_ASK_FOR",
    "OPEN_RUN_STATUSES",
    "OPEN_STATUSES",
    "SENDING_ACTIONS",
    "Attempt",
    "AttemptItem",
    "AttemptState",
    "AuditEvent",
    "AuditKey",
    "AuditSeal",
    "Call",
    "CallSlot",
    "Channel",
    "DayFigures",
    "DeliveryState",
    "Figures",
    "FlowState",
    "FoundBy",
    "Hook",
    "HookDelivery",
    "InboxNotification",
    "ItemFate",
    "ItemOutcome",
    "NamedLock",
    "Notice",
    "NoticeDelivery",
    "NoticeRead",
    "NotificationResult",
    "PeriodEnd",
    "Ping",
    "PingPlan",
    "PingTrigger",
    "Plan",
    "PlanAction",
    "PlanItem",
    "PostedDocument",
    "Record",
    "RecordStatus",
    "Repair",
    "RepairDeed",
    "RepairEntry",
    "Run",
    "RunMode",
    "RunStatus",
    "RunTrigger",
    "Sandbox",
    "Setup",
    "Stage",
    "Tally",
    "Troubles",
    "UnlinkedDraw",
    "WebhookCounter",
]
