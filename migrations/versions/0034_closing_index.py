"""The rows of closing indexes

Revision: 0034, after 0033
"""

import sqlalchemy as sa
from alembic import op

revision = '0034'
down_revision = '0033'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'index_row',
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.Column('matter_id', sa.Uuid(), nullable=False),
        sa.Column('position', sa.Integer(), nullable=False),
        sa.Column('title', sa.String(length=300), nullable=False),
        sa.Column('is_heading', sa.Boolean(), nullable=False),
        sa.Column('document_id', sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ['document_id'], ['document.id'], name=op.f('fk_index_row_document_id_document'), ondelete='SET NULL'
        ),
        sa.ForeignKeyConstraint(
            ['matter_id'], ['matter.id'], name=op.f('fk_index_row_matter_id_matter'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_index_row')),
    )
    op.create_index(op.f('ix_index_row_document_id'), 'index_row', ['document_id'])
    op.create_index(op.f('ix_index_row_matter_id'), 'index_row', ['matter_id'])


def downgrade():
    op.drop_table('index_row')
