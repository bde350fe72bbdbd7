"""Whoever has paid gets a receipt by mail, where the organization wants that."""

from datetime import timedelta

import pytest

from application.invoices.send_receipt import MailReceipt
from application.organizations.update_organization import OrganizationChanges
from domain.effects import SendReceipt
from domain.errors import NotFound, ProviderRefused, Unavailable
from domain.ids import InvoiceId
from domain.invoice import Invoice
from tests.application.promises import of_kind
from tests.world import MemoryWorld

LEASE = timedelta(seconds=60)


async def sending_receipts(world: MemoryWorld) -> MemoryWorld:
    await world.update_organization(OrganizationChanges(sends_receipts=True), world.live, world.command())
    return world


async def worked(world: MemoryWorld) -> None:
    """The worker does what is due, and what becomes due by that."""
    for _ in range(3):
        await world.perform_due()


async def test_who_has_paid_gets_one_receipt_with_all_that_was_bought(world: MemoryWorld) -> None:
    await sending_receipts(world)
    await world.paid(customer_email="bob@example.test", quantity=2)
    await worked(world)
    (mail,) = world.mailer.sent
    (invoice,) = of_kind(world.store, Invoice)
    assert (mail.id, mail.to) == (f"receipt.{invoice.id}", "bob@example.test")
    assert mail.subject == "Receipt from Acme: invoice 1"
    url = f"https://pay.example.com/invoices/{invoice.id}?token={invoice.page_token}"
    for part in ("Acme", "Book", "15.00 USD", "30.00 USD", "test mode"):
        assert part in mail.text
        assert part in mail.html
    assert url in mail.text
    assert url.replace("&", "&amp;") in mail.html
    assert [task for task in world.store.tasks if isinstance(task.effect, SendReceipt)] == []


async def test_no_receipt_is_sent_where_none_is_wanted_or_nobody_is_known_or_nothing_was_paid(
    world: MemoryWorld,
) -> None:
    await world.paid(customer_email="bob@example.test")
    await sending_receipts(world)
    await world.paid()
    free = await world.free_session(customer_email="bob@example.test")
    await world.confirm(free.id)
    await worked(world)
    assert len(of_kind(world.store, Invoice)) == 3
    assert world.mailer.sent == []


async def test_a_name_is_words_in_the_mail_and_nothing_else(world: MemoryWorld) -> None:
    name = '<a href="https://evil.example">Acme</a>'
    await world.update_organization(OrganizationChanges(name=name), world.live, world.command())
    await sending_receipts(world)
    await world.paid(customer_email="bob@example.test")
    await worked(world)
    (mail,) = world.mailer.sent
    assert name not in mail.html
    assert "&lt;a href=" in mail.html
    assert name in mail.text


async def test_what_was_sent_and_not_noted_is_sent_again_as_the_same_message(world: MemoryWorld) -> None:
    await sending_receipts(world)
    await world.paid(customer_email="bob@example.test")
    await world.perform_due()
    (task,) = await world.store.lease(10, world.clock.now(), LEASE)
    assert isinstance(task.effect, SendReceipt)
    await world.effects(task)
    await world.effects(task)
    first, again = world.mailer.sent
    assert first == again


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("mail_server_unavailable", "away"),
        Unavailable("mail_server_misconfigured", "not let in"),
        ProviderRefused("mail_refused", "refused"),
    ],
)
async def test_a_receipt_that_was_not_taken_is_still_to_be_sent(
    world: MemoryWorld, error: Unavailable | ProviderRefused
) -> None:
    await sending_receipts(world)
    await world.paid(customer_email="bob@example.test")
    await world.perform_due()
    (task,) = await world.store.lease(10, world.clock.now(), LEASE)
    world.mailer.fails_with = error
    with pytest.raises(type(error)) as failed:
        await world.effects(task)
    assert failed.value.code == error.code
    world.mailer.fails_with = None
    await world.effects(task)
    assert len(world.mailer.sent) == 1


async def test_the_receipt_of_no_invoice_is_refused(world: MemoryWorld) -> None:
    await sending_receipts(world)
    await world.paid(customer_email="bob@example.test")
    await world.perform_due()
    (task,) = await world.store.lease(10, world.clock.now(), LEASE)
    use_case: MailReceipt = world.effects.mail_receipt
    with pytest.raises(NotFound):
        await use_case(SendReceipt(InvoiceId("inv_nobodys")), task)
