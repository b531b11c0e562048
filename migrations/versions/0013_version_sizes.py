"""Index of version sizes by the member who added them

Revision: 0013, after 0012
"""

from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('version', schema=None) as batch_op:
        batch_op.create_index('ix_version_added', ['created_by_id', 'size'], unique=False)


def downgrade():
    with op.batch_alter_table('version', schema=None) as batch_op:
        batch_op.drop_index('ix_version_added')
