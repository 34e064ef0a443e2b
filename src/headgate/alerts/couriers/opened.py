"""Which courier carries to which kind of channel."""

from headgate.alerts.channels import Channel, Email, Slack, Webhook
from headgate.alerts.couriers.mailed import MailCourier
from headgate.alerts.couriers.posted import SlackCourier, WebhookCourier
from headgate.alerts.ports import Courier


def courier_of(channel: Channel) -> Courier:
    """The one that carries to `channel`."""
    match channel:
        case Webhook():
            return WebhookCourier(channel)
        case Slack():
            return SlackCourier(channel)
        case Email():
            return MailCourier(channel)
