"""Receipts, put into words by the templates beside this file."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from application.invoices.printed import PrintedInvoice
from application.invoices.send_receipt import Wording

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=select_autoescape(("html",), default=False),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    auto_reload=False,
)


class TemplateReceipts:
    """In English, in text and in HTML that needs nothing from anywhere."""

    def receipt(self, invoice: PrintedInvoice, url: str | None) -> Wording:
        values = {"invoice": invoice, "url": url}
        return Wording(
            subject=f"Receipt from {invoice.seller}: invoice {invoice.number}",
            text=_TEMPLATES.get_template("receipt.txt").render(values),
            html=_TEMPLATES.get_template("receipt.html").render(values),
        )
