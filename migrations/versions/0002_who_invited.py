"""Invitations record who sent them

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('invitation', schema=None) as batch_op:
        batch_op.add_column(sa.Column('invited_by_id', sa.Uuid(), nullable=True))
        batch_op.create_index('ix_invitation_invited_by_id', ['invited_by_id'], unique=False)
        batch_op.create_foreign_key(
            batch_op.f('fk_invitation_invited_by_id_member'), 'member', ['invited_by_id'], ['id'], ondelete='SET NULL'
        )


def downgrade():
    with op.batch_alter_table('invitation', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_invitation_invited_by_id_member'), type_='foreignkey')
        batch_op.drop_index('ix_invitation_invited_by_id')
        batch_op.drop_column('invited_by_id')
