"""A server is reached directly or through the outbound proxy

Revision: 0023, after 0022
"""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('server', schema=None) as batch_op:
        batch_op.add_column(sa.Column('route', sa.String(length=20), nullable=False, server_default='default'))
        batch_op.create_check_constraint(
            op.f('ck_server_route'), "route IN ('default', 'direct', 'proxy')"
        )
    with op.batch_alter_table('server', schema=None) as batch_op:
        batch_op.alter_column('route', server_default=None)


def downgrade():
    with op.batch_alter_table('server', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_server_route'), type_='check')
        batch_op.drop_column('route')
