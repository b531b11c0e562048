"""The target of a save to a linked document includes its version

Revision: 0005, after 0004
"""

import re

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

ITEMS = sa.table(
    'transfer_item',
    sa.column('id', sa.Uuid()),
    sa.column('target', sa.String()),
    sa.column('target_id', sa.String()),
    sa.column('based_on', sa.Integer()),
    sa.column('intent', sa.JSON()),
)
WITHOUT_VERSION = re.compile(r'[^!]+![0-9]+')


def upgrade():
    connection = op.get_bind()
    saves = sa.select(ITEMS).where(
        ITEMS.c.target.in_(['new_version', 'replace']), ITEMS.c.target_id != '', ITEMS.c.based_on.is_not(None)
    )
    for row in connection.execute(saves).all():
        if not WITHOUT_VERSION.fullmatch(row.target_id):
            continue
        target_id = f'{row.target_id}.{row.based_on}'
        values = {'target_id': target_id}
        if row.intent:
            values['intent'] = {**row.intent, 'target_id': target_id}
        connection.execute(ITEMS.update().where(ITEMS.c.id == row.id).values(**values))


def downgrade():
    """The previous release accepts ids with a version, so nothing is changed back."""
