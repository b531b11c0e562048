"""A worker holds transfer items by its own id, for as long as its heartbeats come; there are no batches

Revision: 0018, after 0017
"""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade():
    _held_by('batch_id', sa.Column('worker_id', sa.String(length=60), nullable=True))
    _heartbeats('executor_id', 'worker_id')


def downgrade():
    _heartbeats('worker_id', 'executor_id')
    _held_by('worker_id', sa.Column('batch_id', sa.Uuid(), nullable=True))


def _held_by(before, after):
    op.drop_index('ix_transfer_item_due', table_name='transfer_item')
    with op.batch_alter_table('transfer_item', schema=None) as batch_op:
        batch_op.drop_column(before)
        batch_op.add_column(after)
    op.create_index('ix_transfer_item_due', 'transfer_item', ['state', after.name, 'position'])


def _heartbeats(before, after):
    with op.batch_alter_table('worker_heartbeat', schema=None) as batch_op:
        batch_op.alter_column(
            before, new_column_name=after, existing_type=sa.String(length=60), existing_nullable=False
        )
