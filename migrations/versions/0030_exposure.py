"""Organisations of guests, held versions, audiences, and looking at a matter as a guest

Revision: 0030, after 0029
"""

import uuid
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime, utcnow
from services.core.text.normalise import clean_line, fold

revision = '0030'
down_revision = '0029'
branch_labels = None
depends_on = None

KEY = 400


def upgrade():
    op.create_table(
        'organisation',
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.Column('name', sa.String(length=200), nullable=False),
        sa.Column(
            'name_key',
            sa.String(length=KEY).with_variant(sa.String(length=KEY, collation='C'), 'postgresql'),
            nullable=False,
        ),
        sa.Column('created_at', UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_organisation')),
        sa.UniqueConstraint('name_key', name=op.f('uq_organisation_name_key')),
    )
    op.create_table(
        'audience',
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.Column('matter_id', sa.Uuid(), nullable=False),
        sa.Column('is_everybody', sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ['matter_id'], ['matter.id'], name=op.f('fk_audience_matter_id_matter'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_audience')),
    )
    op.create_index(op.f('ix_audience_matter_id'), 'audience', ['matter_id'])
    op.create_table(
        'audience_organisation',
        sa.Column('audience_id', sa.Uuid(), nullable=False),
        sa.Column('organisation_id', sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ['audience_id'],
            ['audience.id'],
            name=op.f('fk_audience_organisation_audience_id_audience'),
            ondelete='CASCADE',
        ),
        sa.ForeignKeyConstraint(
            ['organisation_id'],
            ['organisation.id'],
            name=op.f('fk_audience_organisation_organisation_id_organisation'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('audience_id', 'organisation_id', name=op.f('pk_audience_organisation')),
    )
    op.create_index(
        op.f('ix_audience_organisation_organisation_id'), 'audience_organisation', ['organisation_id']
    )
    op.create_table(
        'exposure_confirmation',
        sa.Column('matter_id', sa.Uuid(), nullable=False),
        sa.Column('member_id', sa.Uuid(), nullable=False),
        sa.Column('readers_key', sa.String(length=64), nullable=False),
        sa.Column('at', UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['matter_id'], ['matter.id'], name=op.f('fk_exposure_confirmation_matter_id_matter'), ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(
            ['member_id'], ['member.id'], name=op.f('fk_exposure_confirmation_member_id_member'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint(
            'matter_id', 'member_id', 'readers_key', name=op.f('pk_exposure_confirmation')
        ),
    )
    op.create_index(op.f('ix_exposure_confirmation_member_id'), 'exposure_confirmation', ['member_id'])
    _add('member', [('organisation_id', 'organisation', None)])
    op.create_index(op.f('ix_member_organisation_id'), 'member', ['organisation_id'])
    _add('version', [('held_by_id', 'member', None), ('released_by_id', 'member', None)], ['held_at', 'released_at'])
    _add('document', [('guest_version_id', 'version', None), ('audience_id', 'audience', None)])
    op.create_index(op.f('ix_document_audience_id'), 'document', ['audience_id'])
    _add('sign_in_session', [('viewed_as_id', 'member', 'SET NULL'), ('viewed_matter_id', 'matter', 'SET NULL')])
    with op.batch_alter_table('transfer_item') as table:
        table.add_column(sa.Column('is_held', sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table('transfer_item') as table:
        table.alter_column('is_held', server_default=None)
    op.execute('UPDATE document SET guest_version_id = current_version_id')
    _name_organisations(op.get_bind())


def downgrade():
    kept = op.get_bind().scalar(
        sa.text(
            'SELECT count(*) FROM document LEFT JOIN version ON version.document_id = document.id'
            ' WHERE version.held_at IS NOT NULL OR document.audience_id IS NOT NULL'
        )
    )
    if kept:
        raise RuntimeError(
            'Guests would see versions that are held and documents that are not for them. '
            'Release every version, and show every document to everybody, before you downgrade.'
        )
    with op.batch_alter_table('transfer_item') as table:
        table.drop_column('is_held')
    _drop('sign_in_session', [('viewed_as_id', 'member'), ('viewed_matter_id', 'matter')])
    op.drop_index(op.f('ix_document_audience_id'), table_name='document')
    _drop('document', [('guest_version_id', 'version'), ('audience_id', 'audience')])
    _drop('version', [('held_by_id', 'member'), ('released_by_id', 'member')], ['held_at', 'released_at'])
    op.drop_index(op.f('ix_member_organisation_id'), table_name='member')
    _drop('member', [('organisation_id', 'organisation')])
    op.drop_table('exposure_confirmation')
    op.drop_table('audience_organisation')
    op.drop_table('audience')
    op.drop_table('organisation')


@contextmanager
def _altered(name):
    """SQLite makes the table anew, without its triggers: those of `member` keep its search index in step."""
    find = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :name"
    is_sqlite = op.get_bind().dialect.name == 'sqlite'
    triggers = op.get_bind().scalars(sa.text(find), {'name': name}).all() if is_sqlite else ()
    with op.batch_alter_table(name) as table:
        yield table
    for each in triggers:
        op.get_bind().exec_driver_sql(each)


def _add(name, keys, times=()):
    with _altered(name) as table:
        for column in times:
            table.add_column(sa.Column(column, UtcDateTime(), nullable=True))
        for column, target, on_delete in keys:
            table.add_column(sa.Column(column, sa.Uuid(), nullable=True))
            table.create_foreign_key(
                op.f(f'fk_{name}_{column}_{target}'), target, [column], ['id'], ondelete=on_delete
            )


def _drop(name, keys, times=()):
    with _altered(name) as table:
        for column, target in keys:
            table.drop_constraint(op.f(f'fk_{name}_{column}_{target}'), type_='foreignkey')
            table.drop_column(column)
        for column in times:
            table.drop_column(column)


def _name_organisations(connection):
    """Give each guest the organisation that their text names; all spellings of a name become one organisation."""
    columns = ('id', 'name', 'name_key', 'organisation', 'organisation_id', 'created_at')
    known = {}
    member, organisation = (
        sa.table(name, *(sa.column(each, sa.Uuid() if each.endswith('id') else None) for each in columns))
        for name in ('member', 'organisation')
    )
    organisation.c.created_at.type = UtcDateTime()
    named = sa.select(member.c.organisation).where(sa.column('is_guest'), member.c.organisation != '').distinct()
    for text in connection.scalars(named.order_by(member.c.organisation)).all():
        key = fold(text)[:KEY]
        if key not in known:
            known[key] = (uuid.uuid4(), clean_line(text))
            values = {'id': known[key][0], 'name': known[key][1], 'name_key': key, 'created_at': utcnow()}
            connection.execute(organisation.insert().values(values))
        change = member.update().where(sa.column('is_guest'), member.c.organisation == text)
        connection.execute(change.values(organisation_id=known[key][0], organisation=known[key][1]))
