from decimal import Decimal

import pytest
from django.test import override_settings

from orders import mails
from tests.factories import make_customer, make_line, make_order, make_product

pytestmark = pytest.mark.django_db


def test_mail_has_text_and_html() -> None:
    order = make_order("10.00")
    message = mails.order_mail(order, mails.CONFIRMATION)
    html, mimetype = message.alternatives[0]
    assert mimetype == "text/html"
    for content in (str(message.body), str(html)):
        assert str(order) in content
        assert "10.00 EUR" in content


@override_settings(DEFAULT_FROM_EMAIL="Shop <desk@shop.example>")
def test_mail_of_the_same_kind_has_the_same_message_id() -> None:
    order = make_order()
    ids = {mails.order_mail(order, mails.REMINDER).extra_headers["Message-ID"] for _ in range(2)}
    assert ids == {f"<order-{order.pk}.payment_reminder@shop.example>"}


def test_mail_shows_each_line_with_its_discount() -> None:
    order = make_order()
    make_line(order, "18.00", product=make_product(name="Chai"), quantity=2, discount=Decimal("0.15"))
    assert "2 x Chai: 30.60 (15 % off)" in mails.order_mail(order, mails.CONFIRMATION).body


def test_mail_text_is_not_escaped_and_html_is() -> None:
    customer = make_customer(first_name="Ana", last_name="O'Neill & <Sons>")
    message = mails.order_mail(make_order(customer=customer), mails.CONFIRMATION)
    assert "Dear Ana O'Neill & <Sons>" in str(message.body)
    assert "O&#x27;Neill &amp; &lt;Sons&gt;" in str(message.alternatives[0][0])
