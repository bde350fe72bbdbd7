"""A mail as it travels: RFC 5322, in text and in HTML."""

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime

from application.ports import Mail
from domain.errors import ProviderRefused

_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)*")


def composed(mail: Mail, sender: Address) -> EmailMessage:
    """The mail from this sender. Its Message-ID is made of the mail's own id: sent again, it is the same
    message, and whoever receives it can tell. Nothing in it can become a header of its own.

    Raises ProviderRefused `mail_refused` where the address cannot be anybody's.
    """
    message = EmailMessage(SMTP)
    message["From"] = sender
    message["To"] = addressed(mail.to)
    message["Subject"] = " ".join(mail.subject.split())
    message["Date"] = localtime()
    message["Message-ID"] = f"<{mail.id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def addressed(email: str) -> Address:
    """The address as one mailbox, and never as a list of them."""
    local, _, domain = email.rpartition("@")
    if not local or not _DOMAIN.fullmatch(domain):
        raise refused()
    try:
        return Address(username=local, domain=domain)
    except ValueError:
        raise refused() from None  # the cause would quote the address


def refused() -> ProviderRefused:
    """Nothing can be sent to this address, or not this."""
    return ProviderRefused("mail_refused", "The mail was refused for good.")
