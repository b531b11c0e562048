"""What a list said of a version to get

Revision: 0022, after 0021
"""

import sqlalchemy as sa
from alembic import op

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('transfer_item', sa.Column('listed', sa.JSON(none_as_null=True), nullable=True))


def downgrade():
    with op.batch_alter_table('transfer_item', schema=None) as batch_op:
        batch_op.drop_column('listed')
