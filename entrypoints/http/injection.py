"""How handlers get what the container makes: one use case or port each, by the name of their parameter."""

from collections.abc import Callable, Mapping
from typing import Any

from dependency_injector import providers
from litestar.di import Provide

from entrypoints.container import Container
from entrypoints.http.desks import Desks
from entrypoints.http.idempotency import Once
from entrypoints.http.portal.actions import Desk
from entrypoints.http.portal.portal import Portal
from entrypoints.http.stripe_webhooks import Inbox


def injectable(container: Container) -> Mapping[str, Callable[[], Any]]:
    """What handlers may ask for, by name."""
    return {
        "apply_catalog": container.apply_catalog,
        "ask_for_payment": providers.Factory(Once, container.ask_for_payment, container.answer_once),
        "audit_log": container.store,
        "attach_product": providers.Factory(Once, container.attach_product, container.answer_once),
        "cancel_intake_payment": providers.Factory(
            Once, container.cancel_intake_payment, container.answer_once
        ),
        "cancel_subscription": providers.Factory(Once, container.cancel_subscription, container.answer_once),
        "catalogs": container.store,
        "check_feature": container.check_feature,
        "checkouts": container.store,
        "choose_payment_method": container.choose_payment_method,
        "complete_free_checkout": providers.Factory(
            Once, container.complete_free_checkout, container.answer_once
        ),
        "create_entity": providers.Factory(Once, container.create_entity, container.answer_once),
        "correct_balance": container.correct_balance,
        "create_customer": providers.Factory(Once, container.create_customer, container.answer_once),
        "customers": container.store,
        "delete_customer": container.delete_customer,
        "clock": container.clock,
        "delete_entity": container.delete_entity,
        "desks": providers.Factory(Desks, container.stripe_test, container.stripe_live),
        "entities": container.store,
        "events": container.store,
        "expire_checkout_session": providers.Factory(
            Once, container.expire_checkout_session, container.answer_once
        ),
        "grant_balance": providers.Factory(Once, container.grant_balance, container.answer_once),
        "inbox": providers.Factory(Inbox, container.webhook_reader, container.news, container.clock),
        "intakes": container.store,
        "invoices": container.store,
        "ledger": container.store,
        "inbox_feed": container.store,
        "make_purchase": providers.Factory(Once, container.make_purchase, container.answer_once),
        "open_checkout_session": providers.Factory(
            Once, container.open_checkout_session, container.answer_once
        ),
        "payments": container.store,
        "ask_for_access": container.ask_for_access,
        "make_portal_link": container.make_portal_link,
        "organizations": container.store,
        "portal": providers.Singleton(
            Portal, container.store, container.clock, container.public_url.provider
        ),
        "portal_desk": providers.Singleton(
            Desk,
            container.portal_cancel_subscription,
            container.portal_resume_subscription,
            container.portal_choose_payment_method,
            container.portal_open_checkout_session,
            container.public_url.provider,
        ),
        "portal_door": container.store,
        "portal_pages": container.portal_store,
        "sign_in": container.sign_in,
        "use_portal_link": container.use_portal_link,
        "process_payment_intent": container.process_payment_intent,
        "process_setup_intent": container.process_setup_intent,
        "public_url": container.public_url,
        "purchases": container.store,
        "refund_payment": providers.Factory(Once, container.refund_payment, container.answer_once),
        "resume_subscription": providers.Factory(Once, container.resume_subscription, container.answer_once),
        "scrape": container.scrape,
        "sign_up": providers.Factory(Once, container.sign_up, container.answer_once),
        "subscriptions": container.store,
        "tenants": container.store,
        "track_usage": container.track_usage,
        "update_checkout_session": container.update_checkout_session,
        "update_customer": container.update_customer,
        "update_user": container.update_user,
        "users": container.store,
    }


def provided(provider: Callable[[], Any]) -> Provide:
    """Litestar's wrapper around a provider: it takes no provider as it is."""

    def value() -> Any:  # noqa: ANN401
        return provider()

    return Provide(value, sync_to_thread=False)
