"""Transfers that were undone, and which version was current before a get

Revision: 0033, after 0032
"""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = '0033'
down_revision = '0032'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('transfer') as table:
        table.add_column(sa.Column('undone_at', UtcDateTime(), nullable=True))
        table.add_column(sa.Column('undone_by_id', sa.Uuid(), nullable=True))
        table.create_foreign_key(op.f('fk_transfer_undone_by_id_member'), 'member', ['undone_by_id'], ['id'])
    with op.batch_alter_table('transfer_item') as table:
        table.add_column(sa.Column('replaced_id', sa.Uuid(), nullable=True))
        table.add_column(sa.Column('undone', sa.String(length=20), server_default='', nullable=False))
    with op.batch_alter_table('transfer_item') as table:
        table.alter_column('undone', server_default=None)


def downgrade():
    with op.batch_alter_table('transfer_item') as table:
        table.drop_column('undone')
        table.drop_column('replaced_id')
    with op.batch_alter_table('transfer') as table:
        table.drop_constraint(op.f('fk_transfer_undone_by_id_member'), type_='foreignkey')
        table.drop_column('undone_by_id')
        table.drop_column('undone_at')
