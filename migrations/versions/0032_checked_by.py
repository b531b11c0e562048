"""With whose sign-in a twin was last checked

Revision: 0032, after 0031
"""

import sqlalchemy as sa
from alembic import op

revision = '0032'
down_revision = '0031'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('link', schema=None) as batch_op:
        batch_op.add_column(sa.Column('checked_by_id', sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(op.f('fk_link_checked_by_id_member'), 'member', ['checked_by_id'], ['id'])


def downgrade():
    with op.batch_alter_table('link', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('fk_link_checked_by_id_member'), type_='foreignkey')
        batch_op.drop_column('checked_by_id')
