"""When sign-ins to an account were last rate-limited

Revision: 0012, after 0011
"""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('member', schema=None) as batch_op:
        batch_op.add_column(sa.Column('sign_in_slowed_at', UtcDateTime(), nullable=True))


def downgrade():
    # Drops the column without recreating the table, which would drop the search triggers.
    op.drop_column('member', 'sign_in_slowed_at')
