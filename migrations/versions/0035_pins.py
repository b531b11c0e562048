"""Matters that people have pinned in their lists

Revision: 0035, after 0034
"""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = '0035'
down_revision = '0034'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('participant', sa.Column('pinned_at', UtcDateTime(), nullable=True))


def downgrade():
    with op.batch_alter_table('participant') as table:
        table.drop_column('pinned_at')
