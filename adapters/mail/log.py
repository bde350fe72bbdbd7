"""What stands in for a mail server where there is none."""

import structlog
from structlog.typing import FilteringBoundLogger

from application.ports import Mail

log: FilteringBoundLogger = structlog.get_logger()


class LogMailer:
    """Sends nothing, and says so in the log: which mail it would have been, not to whom nor what is in it."""

    async def send(self, mail: Mail) -> None:
        log.info("mail_not_sent", mail_id=mail.id, why="SMTP_URL is not set")
