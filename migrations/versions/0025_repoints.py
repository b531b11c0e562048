"""Re-points: the links of one server that moved to another

Revision: 0025, after 0024
"""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'repoint',
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.Column('source_id', sa.Uuid(), nullable=False),
        sa.Column('target_id', sa.Uuid(), nullable=False),
        sa.Column('libraries', sa.JSON(), nullable=False),
        sa.Column('samples', sa.JSON(), nullable=False),
        sa.Column('link_count', sa.Integer(), nullable=False),
        sa.Column('copies_restriction', sa.Boolean(), nullable=False),
        sa.Column('previewed_by', sa.String(length=200), nullable=False),
        sa.Column('previewed_at', UtcDateTime(), nullable=False),
        sa.Column('was_enabled', sa.Boolean(), nullable=False),
        sa.Column('moved_by', sa.String(length=200), nullable=False),
        sa.Column('moved_at', UtcDateTime(), nullable=True),
        sa.Column('undone_at', UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ['source_id'], ['server.id'], name=op.f('fk_repoint_source_id_server'), ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(
            ['target_id'], ['server.id'], name=op.f('fk_repoint_target_id_server'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_repoint')),
    )
    op.create_index('ix_repoint_source', 'repoint', ['source_id', 'moved_at'])
    op.create_index(op.f('ix_repoint_target_id'), 'repoint', ['target_id'])
    op.create_table(
        'repointed_link',
        sa.Column('link_id', sa.Uuid(), nullable=False),
        sa.Column('repoint_id', sa.Uuid(), nullable=False),
        sa.Column('library', sa.String(length=200), nullable=False),
        sa.Column('library_key', sa.String(length=200), nullable=False),
        sa.Column('url', sa.Text(), nullable=False),
        sa.Column('state', sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ['link_id'], ['link.id'], name=op.f('fk_repointed_link_link_id_link'), ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(
            ['repoint_id'], ['repoint.id'], name=op.f('fk_repointed_link_repoint_id_repoint'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('link_id', 'repoint_id', name=op.f('pk_repointed_link')),
    )
    op.create_index(op.f('ix_repointed_link_repoint_id'), 'repointed_link', ['repoint_id'])


def downgrade():
    op.drop_table('repointed_link')
    op.drop_table('repoint')
