"""The walk: a stranger pays, and all that follows is in the books. What is shown was read there."""

from dataclasses import dataclass

from application.organizations.create_organization import OrganizationCreated
from domain.money import display
from entrypoints.demo.clients import Application, Buyer, DemoFailedError
from entrypoints.demo.screen import Json, Screen
from entrypoints.demo.shop import CATALOG, DECLINED, FEATURE, GOOD, INCLUDED, PRICE, USED

_BOOKED = (
    "customer.created",
    "subscription.created",
    "subscription_item.created",
    "purchase.completed",
    "invoice.paid",
    "payment.succeeded",
)


@dataclass(frozen=True, slots=True)
class Walk:
    """The steps, in order. DemoFailedError says what was not as it should be."""

    application: Application
    buyer: Buyer
    screen: Screen

    async def __call__(self, organization: OrganizationCreated) -> None:
        await self._opening(organization)
        await self._catalog()
        session = await self._checkout()
        await self._declined(session)
        await self._paid(session)
        await self._returned(session)
        await self._booked(session)
        await self._used()
        await self._at_stripe()

    async def _opening(self, organization: OrganizationCreated) -> None:
        self.screen.step("An organization opens its books")
        self.screen.called("counterfoil organization create")
        self.screen.facts(
            {
                "organization": organization.organization_id,
                "slug": organization.slug,
                "test key": organization.test_key,
            }
        )
        await self._stored("api_key.created")

    async def _catalog(self) -> None:
        self.screen.step("It says what it sells: a free plan that gives downloads, and a handbook")
        self.screen.called("PUT /v1/catalog", CATALOG)
        answer = await self.application.call("PUT", "/v1/catalog", CATALOG, expect=200)
        self.screen.answered(answer.status, {"changes": len(answer.body["changes"])})
        await self._stored("catalog.applied", "pricing_model.created", "price.created")

    async def _checkout(self) -> Json:
        self.screen.step("A stranger wants two handbooks: a checkout session, for nobody known")
        wanted = {"type": "product", "price": PRICE, "quantity": 2, "anonymous": True}
        wanted |= {"customer_email": "ada@example.com", "customer_name": "Ada"}
        wanted |= {"success_url": "https://shop.example.com/thanks"}
        self.screen.called("POST /v1/checkout-sessions", wanted)
        answer = await self.application.call("POST", "/v1/checkout-sessions", wanted, expect=201)
        session = answer.body
        self.screen.answered(answer.status, _session_facts(session))
        await self._stored("checkout_session.created", "checkout_session.updated")
        return session

    async def _declined(self, session: Json) -> None:
        self.screen.step(f"The buyer's card {DECLINED} is declined: nobody is created")
        answer = await self._confirm(session, DECLINED)
        error = answer.get("error", {})
        self.screen.facts({"stripe says": error.get("message"), "code": error.get("code")})
        await self._stored("payment.failed")
        failed = self.application.the("payment.failed")["data"]["object"]
        if failed["customer_id"] or any(e["type"] == "customer.created" for e in self.application.events):
            raise DemoFailedError("a customer was created for a payment that failed")
        after = await self._session(session["id"])
        if after["status"] != "open":
            raise DemoFailedError(f"the session is {after['status']} after a declined card, not open")
        self.screen.note("The session is still open, and can be paid with another card.")

    async def _paid(self, session: Json) -> None:
        self.screen.step(f"The card {GOOD} is good: Stripe's signed webhook arrives, one commit books it all")
        paid = await self._confirm(session, GOOD)
        self.screen.facts({"stripe says": f"{paid.get('id')} {paid.get('status')}"})
        await self._stored(*_BOOKED, "balance.granted", "checkout_session.succeeded")
        causes = {self.application.the(name)["causation_id"] for name in _BOOKED}
        if len(causes) != 1:
            raise DemoFailedError(f"one payment was booked for several causes: {causes}")
        self.screen.note(f"Caused by Stripe's event {causes.pop()}.")

    async def _returned(self, session: Json) -> None:
        self.screen.step("The buyer's browser comes back: booked already, so nothing happens twice")
        path = f"/checkout/{session['id']}/return"
        self.screen.called(f"GET {path}")
        answer = await self.buyer.follow(self.application.url + path)
        self.screen.answered(answer.status, {"on to": answer.location})
        if answer.status != 303:
            raise DemoFailedError(f"GET {path} answered {answer.status}, not 303")
        for event in await self.application.news():
            if event["actor"]["type"] != "worker":  # which may have been faster than the browser
                raise DemoFailedError(f"the browser's return made {event['type']}, which was booked already")

    async def _booked(self, session: Json) -> None:
        self.screen.step("What is in the books now")
        customer, subscription, item, purchase, invoice, payment = (
            self.application.the(name)["data"]["object"] for name in _BOOKED
        )
        catalog = (await self.application.call("GET", "/v1/catalog", expect=200)).body
        model = next(model for model in catalog["pricing_models"] if model["is_default"])
        read = (await self.application.call("GET", f"/v1/customers/{customer['id']}", expect=200)).body
        after = await self._session(session["id"])
        agree = {
            "the customer's pricing model is the default one": customer["pricing_model_id"] == model["id"],
            "the subscription is the customer's": subscription["customer_id"] == customer["id"],
            "the API shows it": [s["id"] for s in read["subscriptions"]] == [subscription["id"]],
            "the item is the subscription's": item["subscription_id"] == subscription["id"],
            "the purchase is paid": (purchase["status"], purchase["customer_id"]) == ("paid", customer["id"]),
            "the payment is the purchase's": payment["purchase_id"] == purchase["id"],
            "the amounts are one": payment["amount"] == purchase["amount"] == session["amount"],
            "the invoice is paid": (invoice["purchase_id"], invoice["amount_due"]) == (purchase["id"], 0),
            "the session succeeded": (after["status"], after["customer_id"]) == ("succeeded", customer["id"]),
        }
        for promise, kept in agree.items():
            if not kept:
                raise DemoFailedError(f"it does not hold that {promise}")
        self.screen.facts(
            {
                "customer": f"{customer['id']}  {customer['name']} <{customer['email']}>",
                "  pricing model": f"{model['id']}  {model['name']} (the default)",
                "subscription": f"{subscription['id']}  {subscription['product_slug']}, "
                f"{subscription['status']}, until {subscription['current_period_end'] or 'canceled'}",
                "  item": f"{item['id']}  {item['quantity']} x {item['price_id'] or item['product_id']}",
                "purchase": f"{purchase['id']}  {purchase['status']}, {purchase['quantity']} x "
                f"{purchase['price_id']}",
                "invoice": f"{invoice['id']}  {invoice['status']}, "
                f"{display(invoice['total'], invoice['currency'])}",
                "payment": f"{payment['id']}  {payment['status']}, "
                f"{display(payment['amount'], payment['currency'])}, {payment['payment_intent_id']}",
                "checkout session": f"{after['id']}  {after['status']}",
            }
        )

    async def _used(self) -> None:
        self.screen.step("The application asks what the customer may use, and says what they have used")
        asked = {"customer": self.application.the("customer.created")["subject"]["id"], "feature": FEATURE}
        for path, more, left in (("check", {}, INCLUDED), ("track", {"amount": USED}, INCLUDED - USED)):
            self.screen.called(f"POST /v1/{path}", asked | more)
            answer = await self.application.call("POST", f"/v1/{path}", asked | more, expect=200)
            balance = answer.body["balance"]
            self.screen.answered(answer.status, {name: balance[name] for name in ("granted", "remaining")})
            if balance["remaining"] != left:
                raise DemoFailedError(f"{balance['remaining']} are left after {path}, not {left}")
        await self._told("usage.threshold_reached")

    async def _at_stripe(self) -> None:
        self.screen.step("Meanwhile the worker has numbered the invoice, and told Stripe of the customer")
        customer_id = self.application.the("customer.created")["subject"]["id"]
        for told in ("invoice.finalized", "customer.updated"):
            await self._told(told)
        path = f"/v1/customers/{customer_id}"
        self.screen.called(f"GET {path}")
        answer = await self.application.call("GET", path, expect=200)
        self.screen.answered(answer.status, {"stripe_customer_id": answer.body["stripe_customer_id"]})
        if not answer.body["stripe_customer_id"]:
            raise DemoFailedError("the customer has no Stripe id")

    async def _confirm(self, session: Json, card: str) -> Json:
        intent, secret = session["payment_intent_id"], session["client_secret"]
        self.screen.called(f"Stripe.js: confirm {intent} with {card}")
        back = f"{self.application.url}/checkout/{session['id']}/return"
        answer = await self.buyer.pay(intent, secret, card.replace(" ", ""), back)
        self.screen.answered(answer.status, {})
        return answer.body

    async def _session(self, id: str) -> Json:
        return (await self.application.call("GET", f"/v1/checkout-sessions/{id}", expect=200)).body

    async def _stored(self, *types: str) -> None:
        for event in await self.application.wait_for(*types):
            self.screen.stored(event)

    async def _told(self, type: str) -> None:
        """The one event of this type, which may have come while something else was waited for."""
        if not any(event["type"] == type for event in self.application.events):
            await self.application.wait_for(type)
        self.screen.stored(self.application.the(type))


def _session_facts(session: Json) -> Json:
    shown = {name: session[name] for name in ("id", "status", "payment_intent_id", "customer_id", "url")}
    return shown | {"amount": display(session["amount"], session["currency"])}
