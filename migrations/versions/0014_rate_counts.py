"""Rate limit counters per member and time window

Revision: 0014, after 0013
"""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'rate_count',
        sa.Column('key', sa.String(length=100), nullable=False),
        sa.Column('count', sa.Integer(), nullable=False),
        sa.Column('ends_at', UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint('key', name=op.f('pk_rate_count')),
    )
    with op.batch_alter_table('rate_count', schema=None) as batch_op:
        batch_op.create_index('ix_rate_count_ends_at', ['ends_at'], unique=False)


def downgrade():
    op.drop_table('rate_count')
