"""Facts of servers, measured or told, and the runs that measure them; the token header becomes one of them

Revision: 0021, after 0020
"""

import datetime

import sqlalchemy as sa
from alembic import op

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None

USUAL = 'x-auth-token'


def upgrade():
    facts = op.create_table(
        'server_facts',
        sa.Column('server_id', sa.Uuid(), nullable=False),
        sa.Column('fact', sa.String(length=40), nullable=False),
        sa.Column('value', sa.JSON(), nullable=False),
        sa.Column('source', sa.String(length=10), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('version', sa.String(length=100), nullable=False),
        sa.Column('by', sa.String(length=300), nullable=False),
        sa.Column('is_doubted', sa.Boolean(), nullable=False),
        sa.Column('note', sa.String(length=300), nullable=False),
        sa.CheckConstraint("source IN ('measured', 'told')", name=op.f('ck_server_facts_source')),
        sa.ForeignKeyConstraint(
            ['server_id'], ['server.id'], name=op.f('fk_server_facts_server_id_server'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('server_id', 'fact', name=op.f('pk_server_facts')),
    )
    op.create_table(
        'server_learning',
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.Column('server_id', sa.Uuid(), nullable=False),
        sa.Column('member_id', sa.Uuid(), nullable=True),
        sa.Column('started_by', sa.String(length=300), nullable=False),
        sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('state', sa.String(length=20), nullable=False),
        sa.Column('sentence', sa.String(length=600), nullable=False),
        sa.Column('folder_id', sa.String(length=200), nullable=False),
        sa.Column('version', sa.String(length=100), nullable=False),
        sa.Column('found', sa.JSON(), nullable=False),
        sa.Column('unknown', sa.JSON(), nullable=False),
        sa.Column('requests', sa.JSON(), nullable=False),
        sa.Column('left_behind', sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ['server_id'], ['server.id'], name=op.f('fk_server_learning_server_id_server'), ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(
            ['member_id'], ['member.id'], name=op.f('fk_server_learning_member_id_member'), ondelete='SET NULL'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_server_learning')),
    )
    op.create_index('ix_server_learning_server_started', 'server_learning', ['server_id', 'started_at'])
    op.add_column('server', sa.Column('facts_changed_at', sa.DateTime(timezone=True), nullable=True))
    server = sa.table(
        'server',
        sa.column('id', sa.Uuid()),
        sa.column('auth_header', sa.String()),
        sa.column('facts_changed_at', sa.DateTime(timezone=True)),
    )
    now = datetime.datetime.now(datetime.UTC)
    other = op.get_bind().execute(sa.select(server.c.id, server.c.auth_header).where(server.c.auth_header != USUAL))
    for row in other.all():
        values = {'value': row.auth_header, 'source': 'told', 'at': now, 'version': '', 'by': '', 'note': ''}
        op.bulk_insert(facts, [{'server_id': row.id, 'fact': 'token_header', 'is_doubted': False} | values])
        op.execute(server.update().where(server.c.id == row.id).values(facts_changed_at=now))
    with op.batch_alter_table('server', schema=None) as batch_op:
        batch_op.drop_column('auth_header')


def downgrade():
    op.add_column('server', sa.Column('auth_header', sa.String(length=20), nullable=False, server_default=USUAL))
    server = sa.table('server', sa.column('id', sa.Uuid()), sa.column('auth_header', sa.String()))
    facts = sa.table(
        'server_facts',
        sa.column('server_id', sa.Uuid()),
        sa.column('fact', sa.String()),
        sa.column('value', sa.JSON()),
    )
    told = sa.select(facts.c.server_id, facts.c.value).where(facts.c.fact == 'token_header')
    for row in op.get_bind().execute(told).all():
        op.execute(server.update().where(server.c.id == row.server_id).values(auth_header=row.value))
    with op.batch_alter_table('server', schema=None) as batch_op:
        batch_op.alter_column('auth_header', server_default=None)
        batch_op.drop_column('facts_changed_at')
    op.drop_index('ix_server_learning_server_started', table_name='server_learning')
    op.drop_table('server_learning')
    op.drop_table('server_facts')
