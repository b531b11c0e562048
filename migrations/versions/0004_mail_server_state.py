"""Mail server state

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'mail_server_state',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('code', sa.String(length=80), nullable=False),
        sa.Column('reason', sa.String(length=300), nullable=False),
        sa.Column('next_step', sa.String(length=300), nullable=False),
        sa.Column('failing_since', UtcDateTime(), nullable=True),
        sa.Column('takes_utf8', sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_mail_server_state')),
    )


def downgrade():
    op.drop_table('mail_server_state')
