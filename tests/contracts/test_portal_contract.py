"""The billing portal's door, on every adapter: who gets in, how often one may try, and what is inside."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.portal.links import LinkMade
from application.portal.sign_in import In
from domain.auth import Authenticated, LetIn, SignedIn
from domain.checkout import NewProductSession
from domain.customer import NewCustomer
from domain.errors import DomainError, NotFound, Rejected, TooMany
from domain.intake_payment import NewIntakePayment
from domain.intent import Attempt
from domain.portal import (
    CODE_LASTS,
    KEPT,
    LINK_LASTS,
    MOST_TRIES,
    SESSION_LASTS,
    AccessRequest,
    Seller,
    access_code,
)
from domain.sign_up import NewUser
from domain.user_changes import UserChanges
from tests.contracts.worlds import REQUEST, World, fact_of, set_up

EMAIL = "Ada@Example.com"


def seller_of(auth: Authenticated) -> Seller:
    return Seller(auth.organization_id, "acme")


async def ask(world: World, auth: Authenticated, email: str = EMAIL, sender: str = "home") -> AccessRequest:
    return await world.ask_for_access(email, sender, seller_of(auth), REQUEST, livemode=auth.livemode)


async def code_for(world: World, asked: AccessRequest) -> str:
    """What the mail says, or would say."""
    return access_code(await world.store.signing_key(), asked.id)


async def sign_in(world: World, auth: Authenticated, email: str = EMAIL) -> In:
    asked = await ask(world, auth, email)
    code = await code_for(world, asked)
    return await world.sign_in(asked.id, code, seller_of(auth), REQUEST, livemode=auth.livemode)


async def try_code(world: World, auth: Authenticated, asked: AccessRequest, code: str) -> str:
    try:
        await world.sign_in(asked.id, code, seller_of(auth), REQUEST, livemode=auth.livemode)
    except DomainError as refusal:
        return refusal.code
    return "in"


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


async def anonymous_purchase(world: World, auth: Authenticated, email: str) -> None:
    draft = NewProductSession(price="course", anonymous=True, customer_email=email)
    session = await world.open_checkout_session(draft, auth, REQUEST)
    fact = fact_of(session, Attempt("ch_1", "succeeded"), ending="succeeded")
    await world.report(fact, f"evt_{session.id}")


async def test_whoever_proves_an_address_is_given_every_customer_of_it_who_is_nobodys(world: World) -> None:
    acme = await world.organization()
    for spelling in ("ada@example.com", "ADA@example.com", "Ada@Example.COM"):
        await anonymous_purchase(world, acme, spelling)
    other = await sign_in(world, acme, "ada@example.com")
    assert len((await world.portal.portal_page(other.session.buyer, world.clock.now())).customers) == 3


@pytest.mark.parametrize(
    ("victims", "attackers"),
    [
        ("ada@strasse.example", "ada@stra\u00dfe.example"),
        ("ada@stra\u00dfe.example", "ada@strasse.example"),
        ("ada@example.com", "\uff41da@example.com"),
        ("office@example.com", "o\ufb03ce@example.com"),
        ("ada@example.com", "ada+1@example.com"),
    ],
    ids=ascii,
)
async def test_whoever_has_a_mailbox_that_merely_looks_alike_is_given_nothing(
    world: World, victims: str, attackers: str
) -> None:
    acme = await world.organization()
    await anonymous_purchase(world, acme, victims)
    await sign_in(world, acme, victims)
    await anonymous_purchase(world, acme, victims)
    asked = await ask(world, acme, attackers)
    assert await try_code(world, acme, asked, await code_for(world, asked)) == "access_code_invalid"
    await anonymous_purchase(world, acme, attackers)
    inside = (await sign_in(world, acme, attackers)).session.buyer
    seen = (await world.portal.portal_page(inside, world.clock.now())).customers
    assert [one.overview.customer.email for one in seen] == [attackers]


async def test_who_is_somebodys_stays_theirs(world: World) -> None:
    acme = await world.organization()
    await world.create_customer(NewCustomer(external_id="bob", email="bob@example.com"), acme, REQUEST)
    bob = (await sign_in(world, acme, "bob@example.com")).session.buyer
    assert isinstance(bob, SignedIn)
    # Bob's customer is called by Ada's address from now on; it is Bob's all the same.
    await world.create_customer(
        NewCustomer(external_id="bobs-other", email=EMAIL, user_id=bob.user_id), acme, REQUEST
    )
    for _ in range(3):
        await anonymous_purchase(world, acme, EMAIL)
    ada = (await sign_in(world, acme)).session.buyer
    seen = (await world.portal.portal_page(ada, world.clock.now())).customers
    assert len(seen) == 3
    kept = await world.store.customer(acme, "bobs-other")
    assert kept is not None
    assert kept.customer.user_id == bob.user_id
    types = await world.event_types(acme)
    assert types.count("customer.linked") == 4
    assert types.count("user.signed_up") == 2


async def test_a_customer_of_theirs_is_not_given_to_another_account_that_claims_the_address(
    world: World,
) -> None:
    acme = await world.organization()
    made = await world.create_customer(NewCustomer(external_id=None, email=EMAIL), acme, REQUEST)
    ada = (await sign_in(world, acme)).session.buyer
    assert isinstance(ada, SignedIn)
    eve = (await world.sign_up(NewUser(email=EMAIL, external_id="eve"), acme, REQUEST)).user
    draft = NewCustomer(external_id="eve", email=EMAIL, user_id=eve.id)
    eves = await world.create_customer(draft, acme, REQUEST)
    assert (eves.created, eves.record.customer.user_id) == (True, eve.id)
    seen = (await world.portal.portal_page(ada, world.clock.now())).customers
    assert [one.overview.customer.id for one in seen] == [made.record.customer.id]
    draft = NewCustomer(external_id="ada", email=EMAIL, user_id=ada.user_id)
    theirs = await world.create_customer(draft, acme, REQUEST)
    assert theirs.record.customer.id == made.record.customer.id


async def test_coming_again_finds_the_same_account_and_links_what_is_new(world: World) -> None:
    acme = await world.organization()
    await anonymous_purchase(world, acme, EMAIL)
    first = (await sign_in(world, acme)).session
    await anonymous_purchase(world, acme, EMAIL)
    second = (await sign_in(world, acme)).session
    assert (first.user_id, first.id != second.id) == (second.user_id, True)
    assert len((await world.portal.portal_page(first.buyer, world.clock.now())).customers) == 2


async def test_an_address_that_nobody_is_known_by_lets_nobody_in_even_by_a_guess(world: World) -> None:
    acme = await world.organization()
    asked = await ask(world, acme, "nobody@example.com")
    assert await try_code(world, acme, asked, await code_for(world, asked)) == "access_code_invalid"
    assert "user.signed_up" not in await world.event_types(acme)


async def test_an_account_that_only_claims_the_address_is_not_the_one_that_proves_it(world: World) -> None:
    acme = await world.organization()
    owners = "owner@acme.example"  # of an account that has proven nothing
    await anonymous_purchase(world, acme, owners)
    buyer = (await sign_in(world, acme, owners)).session.buyer
    assert isinstance(buyer, SignedIn)
    assert buyer.user_id != acme.user_id


async def test_after_five_wrong_codes_the_right_one_is_of_no_use(world: World) -> None:
    acme = await world.organization()
    await anonymous_purchase(world, acme, EMAIL)
    asked = await ask(world, acme)
    code = await code_for(world, asked)
    for _ in range(MOST_TRIES):
        assert await try_code(world, acme, asked, wrong(code)) == "access_code_invalid"
    assert await try_code(world, acme, asked, code) == "access_code_invalid"
    assert "customer.linked" not in await world.event_types(acme)


async def test_the_fifth_try_may_still_be_right(world: World) -> None:
    acme = await world.organization()
    await anonymous_purchase(world, acme, EMAIL)
    asked = await ask(world, acme)
    code = await code_for(world, asked)
    for _ in range(MOST_TRIES - 1):
        await try_code(world, acme, asked, wrong(code))
    assert await try_code(world, acme, asked, f" {code[:3]} {code[3:]} ") == "in"


async def test_of_many_guesses_at_once_five_are_looked_at(world: World) -> None:
    acme = await world.organization()
    await anonymous_purchase(world, acme, EMAIL)
    asked = await ask(world, acme)
    code = await code_for(world, asked)
    await asyncio.gather(*(try_code(world, acme, asked, wrong(code)) for _ in range(20)))
    assert await try_code(world, acme, asked, code) == "access_code_invalid"
    counted = await world.store.access_context(acme, asked.id)
    assert counted is not None
    assert counted.request.tries == MOST_TRIES


async def test_a_code_is_good_for_ten_minutes_and_once(world: World) -> None:
    acme = await world.organization()
    await anonymous_purchase(world, acme, EMAIL)
    old, used = await ask(world, acme), await ask(world, acme)
    assert await try_code(world, acme, used, await code_for(world, used)) == "in"
    assert await try_code(world, acme, used, await code_for(world, used)) == "access_code_invalid"
    world.clock.advance(CODE_LASTS)
    assert await try_code(world, acme, old, await code_for(world, old)) == "access_code_invalid"


async def test_the_right_code_twice_at_once_begins_one_session(world: World) -> None:
    acme = await world.organization()
    await anonymous_purchase(world, acme, EMAIL)
    asked = await ask(world, acme)
    code = await code_for(world, asked)
    came = await asyncio.gather(*(try_code(world, acme, asked, code) for _ in range(4)))
    assert sorted(came) == ["access_code_invalid"] * 3 + ["in"]
    assert (await world.event_types(acme)).count("user.signed_up") == 1


async def test_a_code_of_another_organization_or_mode_is_no_code(world: World) -> None:
    acme, other = await world.organization(), await world.organization("other")
    live = replace(acme, livemode=True)
    await anonymous_purchase(world, acme, EMAIL)
    asked = await ask(world, acme)
    code = await code_for(world, asked)
    for elsewhere in (other, live):
        assert await try_code(world, elsewhere, asked, code) == "access_code_invalid"
    assert await try_code(world, acme, asked, code) == "in"


async def test_an_address_is_asked_for_five_times_an_hour_whoever_asks(world: World) -> None:
    acme, other = await world.organization(), await world.organization("other")
    for place in range(5):
        await ask(world, acme, EMAIL.swapcase(), f"place {place}")
    with pytest.raises(TooMany) as refused:
        await ask(world, acme, EMAIL, "elsewhere")
    assert refused.value.code == "too_many_access_codes"
    await ask(world, acme, "bob@example.com")
    await ask(world, other)
    world.clock.advance(timedelta(hours=1))
    await ask(world, acme)


async def test_a_sender_asks_twenty_times_an_hour_for_whichever_addresses(world: World) -> None:
    acme = await world.organization()
    tasks = len(await world.lease(100))
    came = await asyncio.gather(
        *(ask(world, acme, f"{n}@example.com") for n in range(30)), return_exceptions=True
    )
    assert sum(isinstance(one, AccessRequest) for one in came) == 20
    assert len(await world.lease(100)) == tasks + 20 or tasks == 0
    await ask(world, acme, "one@example.com", "another place")


async def test_a_session_is_good_for_a_day_or_until_it_is_ended(world: World) -> None:
    acme = await world.organization()
    await anonymous_purchase(world, acme, EMAIL)
    kept, left, everywhere = [await sign_in(world, acme) for _ in range(3)]

    await world.store.end_session(left.session, world.clock.now())
    assert [await goes_on(world, one) for one in (kept, left, everywhere)] == [True, False, True]
    await world.store.end_sessions(everywhere.session.buyer, world.clock.now())
    assert [await goes_on(world, one) for one in (kept, left, everywhere)] == [False, False, False]
    again = await sign_in(world, acme)
    world.clock.advance(SESSION_LASTS)
    assert not await goes_on(world, again)


async def goes_on(world: World, came: In) -> bool:
    session = came.session
    found = await world.store.portal_session(
        session.secret_hash, session.organization_id, world.clock.now(), livemode=session.livemode
    )
    return found is not None


async def test_a_session_ends_when_its_address_is_no_longer_the_accounts_or_no_longer_proven(
    world: World,
) -> None:
    acme = await world.organization()
    for changes in (
        UserChanges(email="new@example.com", email_verified=True),
        UserChanges(email="unproven@example.com"),
        UserChanges(email_verified=False),
    ):
        await anonymous_purchase(world, acme, EMAIL)
        before = await sign_in(world, acme)
        account = before.session.user_id
        assert account is not None
        world.clock.advance(timedelta(minutes=1))
        await world.update_user(account, UserChanges(name="Ada", email=EMAIL.upper()), acme, REQUEST)
        assert await goes_on(world, before)  # called otherwise, and the address spelled otherwise
        await world.update_user(account, changes, acme, REQUEST)
        assert not await goes_on(world, before), changes
        away = UserChanges(email=f"away-{account}@example.com", email_verified=False)
        await world.update_user(account, away, acme, REQUEST)


async def test_whoever_signs_out_everywhere_ends_what_was_begun_by_links_to_their_customers(
    world: World,
) -> None:
    acme = await world.organization()
    for name in ("ada", "bob"):
        await world.create_customer(NewCustomer(external_id=name, email=f"{name}@example.com"), acme, REQUEST)
    ada = await sign_in(world, acme, "ada@example.com")
    links = [await world.make_portal_link(name, acme) for name in ("ada", "bob")]
    stolen, bobs = [
        await world.use_portal_link(link.secret, seller_of(acme), livemode=False) for link in links
    ]
    await world.store.end_sessions(ada.session.buyer, world.clock.now())
    assert [await goes_on(world, one) for one in (ada, stolen, bobs)] == [False, False, True]


async def test_what_was_asked_of_an_address_that_was_only_claimed_does_not_go_along_to_another(
    world: World,
) -> None:
    """Eve signs up with Ada's address, which she has not proven; then she proves one of her own."""
    acme = await world.organization()
    eve = (await world.sign_up(NewUser(email=EMAIL, external_id="eve"), acme, REQUEST)).user
    draft = NewIntakePayment(email=EMAIL, amount=2500, currency="usd", description="A divorce")
    asked = await world.ask_for_payment(draft, acme, REQUEST)
    assert asked.user_id == eve.id
    await world.report(world.gateway.succeed(asked.payment_intent_id or ""), "evt_asked")
    changes = UserChanges(email="eve@example.com", email_verified=True)
    await world.update_user(eve.id, changes, acme, REQUEST)
    inside = (await sign_in(world, acme, "eve@example.com")).session.buyer
    assert isinstance(inside, SignedIn)
    assert inside.user_id == eve.id
    assert (await world.portal.portal_page(inside, world.clock.now())).asked == ()
    assert list(await world.portal.payments(inside, 10)) == []


async def test_a_link_lets_in_once_to_its_customer_alone(world: World) -> None:
    acme = await world.organization()
    await anonymous_purchase(world, acme, EMAIL)
    ada = (await sign_in(world, acme)).session.buyer
    assert isinstance(ada, SignedIn)
    await world.create_customer(
        NewCustomer(external_id="ada", email=EMAIL, user_id=ada.user_id), acme, REQUEST
    )
    link = await world.make_portal_link("ada", acme)

    async def use(made: LinkMade) -> In:
        return await world.use_portal_link(made.secret, seller_of(acme), livemode=False)

    came = await asyncio.gather(*(use(link) for _ in range(4)), return_exceptions=True)
    (inside,) = [one for one in came if isinstance(one, In)]
    assert all(isinstance(one, In | Rejected) for one in came)
    assert isinstance(inside.session.buyer, LetIn)
    page = await world.portal.portal_page(inside.session.buyer, world.clock.now())
    assert [one.overview.customer.external_id for one in page.customers] == ["ada"]
    assert page.account is None  # an address that the application has not seen proven is not shown
    old = await world.make_portal_link("ada", acme)
    world.clock.advance(LINK_LASTS)
    with pytest.raises(Rejected) as refused:
        await use(old)
    assert refused.value.code == "portal_link_invalid"


async def test_there_is_no_link_to_somebody_elses_customer(world: World) -> None:
    acme, other = await world.organization(), await world.organization("other")
    await world.customer(acme)
    for elsewhere in (other, replace(acme, livemode=True)):
        with pytest.raises(NotFound):
            await world.make_portal_link("ada", elsewhere)
    link = await world.make_portal_link("ada", acme)
    with pytest.raises(Rejected):
        await world.use_portal_link(link.secret, seller_of(other), livemode=False)
    with pytest.raises(Rejected):
        await world.use_portal_link(link.secret, seller_of(acme), livemode=True)
    await world.use_portal_link(link.secret, seller_of(acme), livemode=False)


async def test_deleting_a_customer_ends_what_they_were_let_in_by(world: World) -> None:
    acme = await world.organization()
    await world.create_customer(NewCustomer(external_id="ada", email=EMAIL), acme, REQUEST)
    used, unused = [await world.make_portal_link("ada", acme) for _ in range(2)]
    inside = await world.use_portal_link(used.secret, seller_of(acme), livemode=False)
    asked = await ask(world, acme)
    await world.delete_customer("ada", acme, REQUEST)
    now = world.clock.now()
    assert await world.store.access_context(acme, asked.id) is None
    with pytest.raises(Rejected):
        await world.use_portal_link(unused.secret, seller_of(acme), livemode=False)
    found = await world.store.portal_session(
        inside.session.secret_hash, acme.organization_id, now, livemode=False
    )
    assert found is None
    assert (await world.portal.portal_page(inside.session.buyer, now)).customers == ()


async def test_a_trial_that_somebody_else_had_with_the_same_fingerprint_is_not_offered_in_the_portal(
    world: World,
) -> None:
    acme = await world.organization()
    for name in ("ada", "bob"):
        draft = NewCustomer(external_id=name, email=f"{name}@example.com", fingerprint="one device")
        await world.create_customer(draft, acme, REQUEST)
    session = await world.session(acme, price="pro-trial", customer="ada")
    await world.report(set_up(session))
    bob = (await sign_in(world, acme, "bob@example.com")).session.buyer
    wanted = NewProductSession(price="pro-trial", customer="bob")
    assert (await world.portal.opening_context(bob, wanted)).trial_used
    ada = NewProductSession(price="pro-trial", customer="ada")
    assert (await world.portal.opening_context(bob, ada)).customer is None


async def test_what_was_asked_of_an_address_is_theirs_who_prove_it_and_lets_them_in(world: World) -> None:
    acme = await world.organization()
    draft = NewIntakePayment(email=EMAIL.upper(), amount=2500, currency="usd", description="A consultation")
    asked = await world.ask_for_payment(draft, acme, REQUEST)
    claiming = await world.sign_up(NewUser(email="bob@example.com", external_id="bob"), acme, REQUEST)
    bobs = NewIntakePayment(email="bob@example.com", amount=100, currency="usd", description="Tea")
    await world.ask_for_payment(bobs, acme, REQUEST)
    ada = (await sign_in(world, acme)).session.buyer
    page = await world.portal.portal_page(ada, world.clock.now())
    assert [one.id for one in page.asked] == [asked.id]
    assert page.customers == ()
    assert (await world.event_types(acme)).count("intake_payment.linked") == 1
    # What is somebody's stays theirs, also where they have not proven the address.
    no_code = await ask(world, acme, "bob@example.com")
    assert await try_code(world, acme, no_code, await code_for(world, no_code)) == "access_code_invalid"
    assert claiming.user.email_verified_at is None


async def test_who_was_at_the_door_is_forgotten_after_two_days(world: World) -> None:
    acme = await world.organization()
    await anonymous_purchase(world, acme, EMAIL)
    await sign_in(world, acme)
    await world.customer(acme)
    await world.make_portal_link("ada", acme)
    assert await world.worker_store.forget_access(world.clock.now() - KEPT, 100) == 0
    world.clock.advance(SESSION_LASTS + KEPT + timedelta(seconds=1))
    assert await world.worker_store.forget_access(world.clock.now() - KEPT, 100) == 3
    assert await world.worker_store.forget_access(world.clock.now() - KEPT, 100) == 0


async def test_the_mail_with_the_code_goes_to_whoever_is_known_and_to_nobody_else(world: World) -> None:
    acme = await world.organization()
    await anonymous_purchase(world, acme, EMAIL)
    known, unknown = await ask(world, acme), await ask(world, acme, "nobody@example.com")
    code = await code_for(world, known)
    for task in await world.lease(100):
        await world.effects(task)
    (mail,) = world.mailer.sent
    assert (mail.to, mail.id) == (EMAIL, f"access.{known.id}")
    assert f"{code[:3]} {code[3:]}" in mail.text
    assert unknown.id not in mail.id


async def test_what_was_asked_of_an_account_is_there_for_it_alone_and_its_payment_too(world: World) -> None:
    acme = await world.organization()
    for email in (EMAIL, "bob@example.com"):
        await anonymous_purchase(world, acme, email)
    ada, bob = [(await sign_in(world, acme, email)).session.buyer for email in (EMAIL, "bob@example.com")]
    draft = NewIntakePayment(email=EMAIL, amount=2500, currency="usd", description="Consultation")
    asked = [await world.ask_for_payment(draft, acme, REQUEST) for _ in range(2)]
    await world.report(world.gateway.succeed(asked[0].payment_intent_id or ""), "evt_asked")
    page = await world.portal.portal_page(ada, world.clock.now())
    assert [(one.id, one.status) for one in page.asked] == [
        (asked[1].id, "open"),
        (asked[0].id, "succeeded"),
    ]
    assert asked[0].id in [payment.intake_payment_id for payment in await world.portal.payments(ada, 10)]
    assert (await world.portal.portal_page(bob, world.clock.now())).asked == ()
    assert [payment.intake_payment_id for payment in await world.portal.payments(bob, 10)] == [None]
