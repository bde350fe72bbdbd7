"""Customers who are made where they are first needed: by an attach, a check or a track that says who it is.

Not a use case, but what such a use case does between reading and committing: it reads a CustomerContext
together with whatever else it decides on, has the customer recorded here on its own unit of work, and commits
once. Racing with others that make the same customer it loses by a Conflict, reads again, and finds them: so
it must be retried (`retry_on_stale`).
"""

from datetime import datetime

from msgspec.structs import asdict

from application.unit_of_work import UnitOfWork
from domain import customer, identity
from domain.auth import Authenticated
from domain.customer import CustomerData, CustomerRecord, NewCustomer
from domain.identity import CustomerContext
from domain.ids import Ids
from domain.text import OUR_PREFIXES


def draft_of(named: str, data: CustomerData | None) -> NewCustomer:
    """Whoever is `named` by id or external id (see `text.named_customer`), should they have to be made."""
    return NewCustomer(external_id=named, **(asdict(data) if data else {}))


def known_or_made(
    named: str,
    data: CustomerData | None,
    context: CustomerContext,
    auth: Authenticated,
    work: UnitOfWork,
    ids: Ids,
    now: datetime,
) -> CustomerRecord:
    """The customer `named` by id or external id, as the `context` of their draft knows them; else made of
    the `data` and recorded, with their default subscriptions. Who is known stays as they are, but that one
    who has no external id is given the one that comes with their e-mail.

    Raises NotFound `customer_not_found` where nobody says who it is, or an id of ours names nobody; and what
    `identity.introduce` raises.
    """
    if data is not None:
        customer.check_organization(data, auth)
    is_ours = named.startswith(OUR_PREFIXES)
    if context.existing is not None and (data is None or is_ours):
        return context.existing
    if data is None or is_ours:
        raise customer.nobody()
    introduced = identity.introduce(draft_of(named, data), auth, context, ids, now)
    if introduced.change is not None:
        work.record(introduced.change)
    return introduced.record
