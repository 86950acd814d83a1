"""What the tables of beat and results lack for our use of them.

Their models stay as they are, so no state changes: an upgrade of either package finds the columns it
knows.
"""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def allow_no_end(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Let `date_done` be empty while a run is not done."""
    alter_date_done(apps, schema_editor, null=True)


def forbid_no_end(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Go back to a date for every run: unfinished ones get their creation's."""
    task_result = apps.get_model("django_celery_results", "TaskResult")
    task_result.objects.filter(date_done=None).update(
        date_done=models.F("date_created")
    )
    alter_date_done(apps, schema_editor, null=False)


def alter_date_done(
    apps: Apps, schema_editor: BaseDatabaseSchemaEditor, *, null: bool
) -> None:
    """Change whether the column may be empty, by the way of each database."""
    task_result = apps.get_model("django_celery_results", "TaskResult")
    field = task_result._meta.get_field("date_done")
    schema_editor.alter_field(
        task_result, with_null(field, not null), with_null(field, null)
    )


def with_null(field: models.Field, null: bool) -> models.Field:
    """A copy of the field that may, or may not, be empty."""
    copy = field.clone()
    copy.null = null
    copy.set_attributes_from_name(field.name)
    copy.model = field.model
    return copy


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0001_initial")]

    operations = [
        # The scheduler asks every second for what is due; without it that reads every planned row.
        migrations.RunSQL(
            "CREATE INDEX scheduling_clocked_time ON django_celery_beat_clockedschedule (clocked_time)",
            "DROP INDEX scheduling_clocked_time",
        ),
        migrations.RunPython(allow_no_end, forbid_no_end),
    ]
