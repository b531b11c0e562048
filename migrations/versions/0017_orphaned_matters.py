"""orphaned matters

Revision ID: 0017
Revises: 0016

"""
import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade():
    _rename('leaderless_since', 'orphaned_since')


def downgrade():
    _rename('orphaned_since', 'leaderless_since')


def _rename(old, new):
    op.drop_index(f'ix_matter_{old}', table_name='matter')
    op.execute(f'ALTER TABLE matter RENAME COLUMN {old} TO {new}')
    where = sa.text(f'{new} IS NOT NULL')
    op.create_index(f'ix_matter_{new}', 'matter', [new], sqlite_where=where, postgresql_where=where)
