"""An index for the newest results of one schedule; results' own has the name alone."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0006_retired")]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX scheduling_result_schedule"
            " ON django_celery_results_taskresult (periodic_task_name, id)",
            "DROP INDEX scheduling_result_schedule",
        ),
    ]
