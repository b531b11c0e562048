"""Since when a matter is orphaned

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime, utcnow

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('matter', schema=None) as batch_op:
        batch_op.add_column(sa.Column('leaderless_since', UtcDateTime(), nullable=True))
        batch_op.create_index(
            'ix_matter_leaderless_since',
            ['leaderless_since'],
            unique=False,
            sqlite_where=sa.text('leaderless_since IS NOT NULL'),
            postgresql_where=sa.text('leaderless_since IS NOT NULL'),
        )
    matter = sa.table('matter', sa.column('id'), sa.column('leaderless_since', UtcDateTime()))
    place = sa.table('participant', sa.column('matter_id'), sa.column('role'))
    led = sa.exists().where(place.c.matter_id == matter.c.id, place.c.role == 'lead')
    op.execute(matter.update().where(~led).values(leaderless_since=utcnow()))


def downgrade():
    with op.batch_alter_table('matter', schema=None) as batch_op:
        batch_op.drop_index('ix_matter_leaderless_since')
        batch_op.drop_column('leaderless_since')
