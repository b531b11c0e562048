"""PostgreSQL notifies idle workers of items that may be due

Revision: 0019, after 0018
"""

from alembic import op

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None

LIVE = "'waiting', 'running', 'sending', 'looking_up'"
TRIGGERS = {
    'item_added': ('transfer_item', 'AFTER INSERT', 'FOR EACH STATEMENT', ''),
    'item_free': (
        'transfer_item',
        'AFTER UPDATE',
        'FOR EACH ROW',
        f'WHEN (NEW.worker_id IS NULL AND NEW.state IN ({LIVE}) AND (OLD.worker_id IS NOT NULL '
        'OR OLD.state <> NEW.state OR OLD.wait_until IS DISTINCT FROM NEW.wait_until))',
    ),
    'transfer_resumed': (
        'transfer',
        'AFTER UPDATE OF paused_at, cancelled_at',
        'FOR EACH STATEMENT',
        '',
    ),
    'circuit_changed': ('server_circuit', 'AFTER UPDATE OR DELETE', 'FOR EACH STATEMENT', ''),
}


def upgrade():
    if op.get_bind().dialect.name != 'postgresql':
        return
    op.execute(
        'CREATE FUNCTION counterpart_notify_work() RETURNS trigger LANGUAGE plpgsql AS '
        '$$ BEGIN NOTIFY counterpart_work; RETURN NULL; END $$'
    )
    for name, (table, when, each, condition) in TRIGGERS.items():
        op.execute(
            f'CREATE TRIGGER counterpart_{name} {when} ON {table} {each} {condition} '
            'EXECUTE FUNCTION counterpart_notify_work()'
        )


def downgrade():
    if op.get_bind().dialect.name != 'postgresql':
        return
    for name, (table, *_) in TRIGGERS.items():
        op.execute(f'DROP TRIGGER counterpart_{name} ON {table}')
    op.execute('DROP FUNCTION counterpart_notify_work()')
