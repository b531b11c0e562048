"""Rename circuit breakers; owners of next steps as shown on pages

Revision: 0016, after 0015
"""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

OWNERS = {'imanage_admin': 'your iManage admin', 'network_team': 'your network team'}


def upgrade():
    _move('server_pause', 'until', 'server_circuit', 'open_until')
    _rename_owner('whose', 'owner', OWNERS)


def downgrade():
    _rename_owner('owner', 'whose', {new: old for old, new in OWNERS.items()})
    _move('server_circuit', 'open_until', 'server_pause', 'until')


def _move(old, old_until, new, new_until):
    op.create_table(
        new,
        sa.Column('server_id', sa.Uuid(), nullable=False),
        sa.Column(new_until, UtcDateTime(), nullable=True),
        sa.Column('code', sa.String(length=80), nullable=False),
        sa.Column('sentence', sa.String(length=600), nullable=False),
        sa.Column('failures', sa.Integer(), nullable=False),
        sa.Column('failed_at', UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['server_id'], ['server.id'], name=op.f(f'fk_{new}_server_id_server'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('server_id', name=op.f(f'pk_{new}')),
    )
    same = 'code, sentence, failures, failed_at'
    op.execute(
        f'INSERT INTO {new} (server_id, {new_until}, {same}) SELECT server_id, "{old_until}", {same} FROM {old}'
    )
    op.drop_table(old)


def _rename_owner(old, new, words):
    check = sa.table('server_check', sa.column('id', sa.Uuid()), sa.column('results', sa.JSON()))
    for row_id, results in op.get_bind().execute(sa.select(check.c.id, check.c.results)).all():
        renamed = [
            {new if key == old else key: words.get(value, value) if key == old else value
             for key, value in result.items()}
            for result in results
        ]
        op.execute(check.update().where(check.c.id == row_id).values(results=renamed))
