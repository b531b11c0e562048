"""Which key encrypts new values, and since when

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('installation', schema=None) as batch_op:
        batch_op.add_column(sa.Column('sealing_key', sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column('sealing_key_since', UtcDateTime(), nullable=True))


def downgrade():
    with op.batch_alter_table('installation', schema=None) as batch_op:
        batch_op.drop_column('sealing_key_since')
        batch_op.drop_column('sealing_key')
