"""Keys that sign receipts, and the audit log of one matter

Revision: 0029, after 0028
"""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'signing_key',
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.Column('public_key', sa.String(length=44), nullable=False),
        sa.Column('private_key', sa.Text(), nullable=True),
        sa.Column('created_at', UtcDateTime(), nullable=False),
        sa.Column('retired_at', UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_signing_key')),
        sa.UniqueConstraint('public_key', name=op.f('uq_signing_key_public_key')),
    )
    op.create_index('ix_audit_event_matter', 'audit_event', ['matter_id', 'at'])


def downgrade():
    op.drop_index('ix_audit_event_matter', table_name='audit_event')
    op.drop_table('signing_key')
