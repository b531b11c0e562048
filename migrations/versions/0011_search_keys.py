"""Normalised search keys, and one for audit events

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op

from services.core import audit
from services.core.text import file_names
from services.matters import matters
from services.directory import details, search as directory_search
from services.core.text.normalise import fold, search_fold

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

BATCH = 1000


def _member(folding):
    def keys(row):
        words = [*folding(row.name)[: directory_search.LONGEST_NAME].split(), *folding(row.email).split()]
        searched = ''.join(f'  {word}' for word in words)[: directory_search.LONGEST_KEY]
        return {
            'name_key': folding(row.name)[: details.LONGEST_NAME_KEY],
            'search_key': searched,
        }

    return keys


def _matter(folding):
    def keys(row):
        searched = folding(f'{row.name} {row.client_number} {row.matter_number}')
        return {'search_key': searched[: matters.SEARCH_KEY]}

    return keys


def _document(folding):
    return lambda row: {'name_key': folding(row.name)[: file_names.KEY]}


def _event(row):
    return {
        'search_key': audit.key_of(row.actor_name, row.subject, row.action, row.address, row.request_id)
    }


def upgrade():
    with op.batch_alter_table('audit_event', schema=None) as batch_op:
        batch_op.add_column(sa.Column('search_key', sa.Text(), nullable=False, server_default=''))
    _remake(search_fold)
    _make('audit_event', ('actor_name', 'subject', 'action', 'address', 'request_id'), ('search_key',), _event)


def downgrade():
    with op.batch_alter_table('audit_event', schema=None) as batch_op:
        batch_op.drop_column('search_key')
    _remake(fold)


def _remake(folding):
    _make('member', ('name', 'email'), ('name_key', 'search_key'), _member(folding))
    _make('matter', ('name', 'client_number', 'matter_number'), ('search_key',), _matter(folding))
    _make('document', ('name',), ('name_key',), _document(folding))


def _make(name, read, written, keys):
    """Update rows whose keys differ, in batches, so that no table is held in memory."""
    table = sa.table(name, *(sa.column(each) for each in ('id', *read, *written)))
    connection = op.get_bind()
    change = (
        table.update()
        .where(table.c.id == sa.bindparam('of_row'))
        .values({each: sa.bindparam(f'new_{each}') for each in written})
    )
    query = sa.select(table).order_by(table.c.id).limit(BATCH)
    rows = connection.execute(query).all()
    while rows:
        changed = []
        for row in rows:
            made = keys(row)
            if any(made[each] != getattr(row, each) for each in written):
                changed.append({'of_row': row.id, **{f'new_{each}': made[each] for each in written}})
        if changed:
            connection.execute(change, changed)
        rows = connection.execute(query.where(table.c.id > rows[-1].id)).all()
