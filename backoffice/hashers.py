"""How passwords are kept where they protect nothing."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class DevelopmentPasswordHasher(PBKDF2PasswordHasher):
    """Django's hasher under another name.

    Production does not know the name, so a password that was set in development, the demo's
    published ones above all, opens nothing there, even if the database is carried over.
    """

    algorithm = "development"
    # Quick to try, since nothing is protected.
    iterations = 1_000
