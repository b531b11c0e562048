"""Rename two states of transfer items: resolving (the outcome of a send) and needs_decision

Revision: 0020, after 0019
"""

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

RENAMED = {'looking_up': 'resolving', 'asks': 'needs_decision'}
OTHERS = ('waiting', 'running', 'sending', 'needs_sign_in', 'done', 'failed', 'stopped')


def upgrade():
    _rename(RENAMED)


def downgrade():
    _rename({after: before for before, after in RENAMED.items()})


def _rename(names):
    with op.batch_alter_table('transfer_item', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_transfer_item_state'), type_='check')
    items = sa.table('transfer_item', sa.column('state', sa.String))
    for before, after in names.items():
        op.execute(items.update().where(items.c.state == before).values(state=after))
    with op.batch_alter_table('transfer_item', schema=None) as batch_op:
        allowed = _quoted(*OTHERS, *names.values())
        batch_op.create_check_constraint(op.f('ck_transfer_item_state'), f'state IN ({allowed})')
    if op.get_bind().dialect.name == 'postgresql':
        # As migration 0019 creates it, for the states in which a worker has work to do.
        live = _quoted('waiting', 'running', 'sending', next(iter(names.values())))
        op.execute('DROP TRIGGER counterpart_item_free ON transfer_item')
        op.execute(
            'CREATE TRIGGER counterpart_item_free AFTER UPDATE ON transfer_item FOR EACH ROW '
            f'WHEN (NEW.worker_id IS NULL AND NEW.state IN ({live}) AND (OLD.worker_id IS NOT NULL '
            'OR OLD.state <> NEW.state OR OLD.wait_until IS DISTINCT FROM NEW.wait_until)) '
            'EXECUTE FUNCTION counterpart_notify_work()'
        )


def _quoted(*states):
    return ', '.join(f"'{state}'" for state in states)
