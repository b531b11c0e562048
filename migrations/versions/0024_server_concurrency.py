"""How many documents of a server move at a time today. Servers in use begin with what their admin allows

Revision: 0024, after 0023
"""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'server_concurrency',
        sa.Column('server_id', sa.Uuid(), nullable=False),
        sa.Column('at_once', sa.Integer(), nullable=False),
        sa.Column('too_many', sa.Integer(), nullable=True),
        sa.Column('reason', sa.String(length=20), nullable=False),
        sa.Column('changed_at', UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['server_id'],
            ['server.id'],
            name=op.f('fk_server_concurrency_server_id_server'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('server_id', name=op.f('pk_server_concurrency')),
    )
    op.execute(
        'INSERT INTO server_concurrency (server_id, at_once, reason, changed_at) '
        "SELECT id, at_once, 'growing', changed_at FROM server"
    )


def downgrade():
    op.drop_table('server_concurrency')
