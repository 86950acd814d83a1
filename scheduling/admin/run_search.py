"""Finding runs by what people have at hand: an id, an order, a task's name."""

from django.db.models import QuerySet
from django_celery_results.models import TaskResult

from scheduling.catalogue import all_tasks, words_of
from scheduling.models import Run


def search_runs(queryset: QuerySet[TaskResult], term: str) -> QuerySet[TaskResult]:
    """Narrow runs to those a search means; each kind of search goes by one index.

    An `OR` over all of them could use none: on a large table it took minutes.

    Args:
        term: a task id, a subject ("order:123"), a schedule's name or words of a task's name.
    """
    if not term:
        return queryset
    if TaskResult.objects.filter(task_id=term).exists():
        return queryset.filter(task_id=term)
    if Run.objects.filter(subject=term).exists():
        return queryset.filter(run__subject=term)
    if tasks := _tasks_called(term):
        return queryset.filter(task_name__in=tasks)
    return queryset.filter(periodic_task_name=term)


def _tasks_called(term: str) -> list[str]:
    words = term.lower()
    return [name for name in all_tasks() if words in name.lower() or words in words_of(name).lower()]
