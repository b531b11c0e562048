"""How many documents a minute each member may get and save at a server; servers in use have no limit

Revision: 0028, after 0027
"""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = '0028'
down_revision = '0027'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('server', schema=None) as batch_op:
        batch_op.add_column(sa.Column('pace', sa.Integer(), nullable=True))
    op.create_table(
        'member_pace',
        sa.Column('server_id', sa.Uuid(), nullable=False),
        sa.Column('member_id', sa.Uuid(), nullable=False),
        sa.Column('next_at', UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['member_id'], ['member.id'], name=op.f('fk_member_pace_member_id_member'), ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(
            ['server_id'], ['server.id'], name=op.f('fk_member_pace_server_id_server'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('server_id', 'member_id', name=op.f('pk_member_pace')),
    )
    op.create_index(op.f('ix_member_pace_member_id'), 'member_pace', ['member_id'])


def downgrade():
    op.drop_table('member_pace')
    with op.batch_alter_table('server', schema=None) as batch_op:
        batch_op.drop_column('pace')
