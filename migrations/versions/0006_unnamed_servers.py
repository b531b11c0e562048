"""Texts that all participants of a matter can read do not name an iManage server

Revision: 0006, after 0005

The server of a version is in its link, which only members with access to the server see; an error of a transfer
item says "iManage". A downgrade leaves the rows as they are, because the previous release can show them.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

BATCH = 500


def upgrade():
    version = sa.table('version', sa.column('origin'), sa.column('note'))
    op.execute(version.update().where(version.c.origin == 'imanage').values(note=''))
    item = sa.table('transfer_item', sa.column('id'), sa.column('transfer_id'), sa.column('error_sentence'))
    transfer = sa.table('transfer', sa.column('id'), sa.column('server_name'))
    _unname(
        item.c.id,
        item.c.error_sentence,
        transfer.c.server_name,
        item.join(transfer, transfer.c.id == item.c.transfer_id),
    )
    pause = sa.table('server_pause', sa.column('server_id'), sa.column('sentence'))
    server = sa.table('server', sa.column('id'), sa.column('name'))
    _unname(
        pause.c.server_id,
        pause.c.sentence,
        server.c.name,
        pause.join(server, server.c.id == pause.c.server_id),
    )


def _unname(key, sentence, name, joined):
    """Replace the server's name in sentences by "iManage", as a whole word."""
    connection = op.get_bind()
    rows = connection.execute(sa.select(key, sentence, name).select_from(joined).where(sentence != '')).all()
    changed = [
        {'of_row': row[0], 'words': words}
        for row in rows
        if row[2] and (words := re.sub(rf'(?<!\w){re.escape(row[2])}(?!\w)', 'iManage', row[1])) != row[1]
    ]
    statement = (
        key.table.update()
        .where(key == sa.bindparam('of_row'))
        .values({sentence.name: sa.bindparam('words')})
    )
    for first in range(0, len(changed), BATCH):
        connection.execute(statement, changed[first : first + BATCH])


def downgrade():
    pass
