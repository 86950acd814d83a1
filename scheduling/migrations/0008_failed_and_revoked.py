"""Ways to the few among the many: the newest failures, and the newest that never ran.

Without them a list of what one worker failed at walks every result there is, if it failed at little.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0007_results_of_a_schedule")]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX scheduling_result_failed ON django_celery_results_taskresult (id)"
            " WHERE status = 'FAILURE'",
            "DROP INDEX scheduling_result_failed",
        ),
        migrations.RunSQL(
            "CREATE INDEX scheduling_result_revoked ON django_celery_results_taskresult (id)"
            " WHERE status = 'REVOKED'",
            "DROP INDEX scheduling_result_revoked",
        ),
    ]
