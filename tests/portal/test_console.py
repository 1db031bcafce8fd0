"""E-mails without a mail server."""

from __future__ import annotations

from django.core.mail import EmailMessage, get_connection


def test_a_mail_goes_to_the_log_and_not_to_standard_output(capsys):
    mail = EmailMessage("Confirm your address", "The link is https://portal.example.com/x/", to=["anna@example.com"])
    assert get_connection("portal.console.EmailBackend").send_messages([mail]) == 1
    written = capsys.readouterr()
    assert "https://portal.example.com/x/" in written.err
    assert written.out == ""
