"""The iManage workspaces in which the pop-ups of matters open, and the profiles of new documents

Revision: 0031, after 0030
"""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = '0031'
down_revision = '0030'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'matter_workspace',
        sa.Column('matter_id', sa.Uuid(), nullable=False),
        sa.Column('server_id', sa.Uuid(), nullable=False),
        sa.Column('workspace_id', sa.String(length=200), nullable=False),
        sa.Column('name', sa.String(length=300), nullable=False),
        sa.Column('changed_at', UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['matter_id'], ['matter.id'], name=op.f('fk_matter_workspace_matter_id_matter'), ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(
            ['server_id'], ['server.id'], name=op.f('fk_matter_workspace_server_id_server'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('matter_id', 'server_id', name=op.f('pk_matter_workspace')),
    )
    op.create_table(
        'workspace_profile',
        sa.Column('member_id', sa.Uuid(), nullable=False),
        sa.Column('server_id', sa.Uuid(), nullable=False),
        sa.Column('workspace_id', sa.String(length=200), nullable=False),
        sa.Column('profile', sa.JSON(), nullable=False),
        sa.Column('changed_at', UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['member_id'], ['member.id'], name=op.f('fk_workspace_profile_member_id_member'), ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(
            ['server_id'], ['server.id'], name=op.f('fk_workspace_profile_server_id_server'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint(
            'member_id', 'server_id', 'workspace_id', name=op.f('pk_workspace_profile')
        ),
    )
    op.create_index(op.f('ix_workspace_profile_member_id'), 'workspace_profile', ['member_id'])
    op.add_column('transfer_item', sa.Column('profile', sa.JSON(none_as_null=True), nullable=True))


def downgrade():
    with op.batch_alter_table('transfer_item', schema=None) as batch_op:
        batch_op.drop_column('profile')
    op.drop_table('workspace_profile')
    op.drop_table('matter_workspace')
