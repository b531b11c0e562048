"""Whether an older version fetched from iManage becomes the current one

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('transfer_item') as table:
        table.add_column(
            sa.Column('older_becomes_current', sa.Boolean(), server_default=sa.false(), nullable=False)
        )
    with op.batch_alter_table('transfer_item') as table:
        table.alter_column('older_becomes_current', server_default=None)


def downgrade():
    with op.batch_alter_table('transfer_item') as table:
        table.drop_column('older_becomes_current')
