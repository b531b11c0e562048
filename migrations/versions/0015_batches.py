"""Rename batch and fencing token of transfer items, and constrain item states

Revision: 0015, after 0014
"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

STATES = (
    'waiting', 'running', 'sending', 'looking_up', 'needs_sign_in', 'asks', 'done', 'failed', 'stopped',
)


def upgrade():
    _rename('load_id', 'batch_id', 'fence', 'fencing_token')
    with op.batch_alter_table('transfer_item', schema=None) as batch_op:
        allowed = ', '.join(f"'{state}'" for state in STATES)
        batch_op.create_check_constraint(op.f('ck_transfer_item_state'), f'state IN ({allowed})')


def downgrade():
    with op.batch_alter_table('transfer_item', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_transfer_item_state'), type_='check')
    _rename('batch_id', 'load_id', 'fencing_token', 'fence')


def _rename(batch, wanted_batch, token, wanted_token):
    op.drop_index('ix_transfer_item_due', table_name='transfer_item')
    with op.batch_alter_table('transfer_item', schema=None) as batch_op:
        batch_op.alter_column(
            batch, new_column_name=wanted_batch, existing_type=sa.Uuid(), existing_nullable=True
        )
        batch_op.alter_column(
            token, new_column_name=wanted_token, existing_type=sa.Integer(), existing_nullable=False
        )
    op.create_index('ix_transfer_item_due', 'transfer_item', ['state', wanted_batch, 'position'])
