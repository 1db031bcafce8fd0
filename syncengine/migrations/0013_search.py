import structlog
from django.db import DatabaseError, migrations, models, transaction

TABLE = "syncengine_record"
EXTENSIONS = ("pg_trgm", "btree_gin")  # both are trusted: the owner of a database may create them
_AVAILABLE = "SELECT count(*) FROM pg_available_extensions WHERE name = ANY(%s)"
# Who owns the table looks keys up beside the policies, which no index on LIKE can answer (row_security.unbound).
_OWNER_MAY_LOOK = f'CREATE POLICY search_as_owner ON "{TABLE}" FOR SELECT TO CURRENT_USER USING (true)'
_WORDS = "LOWER(' ' || key || ' ' || title || ' ' || reference || ' ' || party || ' ' || search)"
_INDEX = f'CREATE INDEX record_words ON "{TABLE}" USING gin (integration_id, ({_WORDS}) gin_trgm_ops)'


def index_words(apps, schema_editor):
    """Trigrams where the database allows them; without, the search works and reads from the newest on."""
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_OWNER_MAY_LOOK)
        cursor.execute(_AVAILABLE, [list(EXTENSIONS)])
        if cursor.fetchone() != (len(EXTENSIONS),):
            return
    try:
        with transaction.atomic(schema_editor.connection.alias), schema_editor.connection.cursor() as cursor:
            for extension in EXTENSIONS:
                cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
            cursor.execute(_INDEX)
    except DatabaseError:
        structlog.get_logger(__name__).warning("search_without_trigrams")


def forget_words(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("DROP INDEX IF EXISTS record_words")
            cursor.execute(f'DROP POLICY IF EXISTS search_as_owner ON "{TABLE}"')


class Migration(migrations.Migration):
    """Any record is found by a piece of what it is called, or by its amount, however many there are."""

    dependencies = [
        ("syncengine", "0012_repairs"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="record",
            index=models.Index(
                condition=models.Q(("amount__isnull", False)),
                fields=["integration", "amount"],
                name="record_by_amount",
            ),
        ),
        migrations.RunPython(index_words, forget_words),
    ]
