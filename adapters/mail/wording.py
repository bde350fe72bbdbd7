"""What is said in mail, put into words by the templates beside this file."""

from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from application.invoices.printed import PrintedInvoice
from application.invoices.send_receipt import Wording
from application.ports import EndpointNotice
from domain.portal import CODE_LASTS, Seller
from domain.webhook_endpoint import DISABLED_AFTER

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=select_autoescape(("html",), default=False),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    auto_reload=False,
)


class TemplateWording:
    """In English, in text and in HTML that needs nothing from anywhere."""

    def receipt(self, invoice: PrintedInvoice, url: str | None) -> Wording:
        values = {"invoice": invoice, "url": url}
        return Wording(
            subject=f"Receipt from {invoice.seller}: invoice {invoice.number}",
            text=_TEMPLATES.get_template("receipt.txt").render(values),
            html=_TEMPLATES.get_template("receipt.html").render(values),
        )

    def access_code(self, code: str, seller: Seller, *, livemode: bool) -> Wording:
        minutes = round(CODE_LASTS.total_seconds() / 60)
        values = {
            "code": f"{code[:3]} {code[3:]}",
            "seller": seller.name,
            "livemode": livemode,
            "minutes": minutes,
        }
        return Wording(
            subject=f"{values['code']} is your code for {seller.name}",
            text=_TEMPLATES.get_template("access_code.txt").render(values),
            html=_TEMPLATES.get_template("access_code.html").render(values),
        )

    def endpoint_disabled(self, notice: EndpointNotice) -> Wording:
        endpoint = notice.endpoint
        host = urlsplit(endpoint.url).hostname or "?"
        values = {
            "organization": notice.organization,
            "host": host,  # the rest of the address may hold a secret
            "endpoint_id": endpoint.id,
            "description": endpoint.description,
            "reason": endpoint.disabled_reason,
            "since": endpoint.disabled_at,
            "days": DISABLED_AFTER.days,
            "livemode": endpoint.livemode,
        }
        return Wording(
            subject=f"{notice.organization}: nothing is sent to your webhook endpoint at {host} any more",
            text=_TEMPLATES.get_template("endpoint_disabled.txt").render(values),
            html=_TEMPLATES.get_template("endpoint_disabled.html").render(values),
        )
