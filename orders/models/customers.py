"""People: who logs in, who orders, and the account each of them has with the shop."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from orders.models.append_only import AppendOnly, AppendOnlyQuerySet
from orders.models.money import AmountField, currency_field, currency_is_known
from orders.models.saved_whole import SavedWhole


class UserManager(BaseUserManager["User"]):
    """Makes users, whose name at the login is their e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user; without a password one who cannot log in, as customers are."""
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user who may do everything."""
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a user by e-mail address, however it is capitalised."""
        return self.get(email=(username or "").lower())

    def customers(self) -> "models.QuerySet[User]":
        """Return those who order, not those who work here."""
        return self.filter(is_staff=False)


class User(SavedWhole, AbstractUser):
    """A person. Customers are users without access to these pages."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(
        "e-mail address",
        unique=True,
        error_messages={"unique": "Somebody with this e-mail address is already here."},
    )

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()  # type: ignore[assignment,misc]

    class Meta:
        ordering = ("email",)
        constraints = (
            # Unique without regard to case: the column is, and nothing but lower case enters it.
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower_case"),
        )
        indexes = (models.Index(fields=["is_staff", "-date_joined"], name="user_staff_joined"),)

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    def clean(self) -> None:
        """Lower the e-mail address before its uniqueness is checked."""
        self.email = self.email.lower()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the user, the e-mail address in lower case."""
        self.email = self.email.lower()
        super().save(*args, **kwargs)


class CustomerManager(UserManager):
    """Finds and makes customers only."""

    def get_queryset(self) -> "models.QuerySet[User]":
        """Return those who order, not those who work here."""
        return super().get_queryset().filter(is_staff=False)


class Customer(User):
    """A user without access to these pages, on a screen and with permissions of their own.

    The order desk keeps customers without being able to touch its colleagues' access.
    """

    objects = CustomerManager()  # type: ignore[misc]

    class Meta:
        proxy = True
        ordering = ("-date_joined", "-id")


class Profile(models.Model):
    """What is known of a person: company, telephone, address. Made together with the user."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="profile")
    company = models.CharField(max_length=120, blank=True, db_index=True)
    phone = models.CharField(max_length=40, blank=True)
    street = models.CharField(max_length=120, blank=True)
    city = models.CharField(max_length=80, blank=True)
    region = models.CharField(max_length=80, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=80, blank=True)

    def __str__(self) -> str:
        return self.company or f"profile {self.pk}"


class Account(models.Model):
    """The credit a customer has with the shop. Made together with the user.

    The balance is the sum of the entries; only `orders.accounts` writes either.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="account")
    currency = currency_field()
    balance = AmountField(default=0, editable=False)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(balance__gte=0),
                name="account_balance_not_negative",
                violation_error_message="The account does not hold that much.",
            ),
            currency_is_known("account_currency_known"),
        )

    def __str__(self) -> str:
        return f"{self.balance} {self.currency}"


class AccountEntry(AppendOnly):
    """One movement on an account: positive in the customer's favour."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="entries")
    amount = AmountField()
    words = models.CharField(max_length=200, help_text="What it was for.")
    payment = models.OneToOneField(
        "orders.Payment", on_delete=models.PROTECT, null=True, blank=True, related_name="account_entry"
    )
    at = models.DateTimeField(default=timezone.now)

    objects = AppendOnlyQuerySet["AccountEntry"].as_manager()

    class Meta:
        ordering = ("-at", "-id")
        verbose_name_plural = "account entries"
        indexes = (models.Index(fields=["account", "-at"], name="account_entry_at"),)
        constraints = (
            models.CheckConstraint(
                condition=~models.Q(amount=0),
                name="account_entry_moves_something",
                violation_error_message="An entry of nothing is no entry.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.amount:+} {self.words}"
