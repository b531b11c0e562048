"""The outcome of each transfer item, and the transfer that a retry refers to

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('transfer_item') as table:
        table.add_column(sa.Column('outcome', sa.String(length=20), server_default='', nullable=False))
    with op.batch_alter_table('transfer_item') as table:
        table.alter_column('outcome', server_default=None)
    with op.batch_alter_table('transfer') as table:
        table.add_column(sa.Column('retry_of_id', sa.Uuid(), nullable=True))
        table.create_index('ix_transfer_retry_of', ['retry_of_id'], unique=True)


def downgrade():
    with op.batch_alter_table('transfer') as table:
        table.drop_index('ix_transfer_retry_of')
        table.drop_column('retry_of_id')
    with op.batch_alter_table('transfer_item') as table:
        table.drop_column('outcome')
