"""Drift: when a twin is checked next, what was decided about it, and how far its server was followed

Revision: 0027, after 0026
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None

LIVE = sa.text('ended_at IS NULL')
UNTOLD = sa.text("ended_at IS NULL AND told_at IS NULL AND state IN ('lost', 'forbidden')")


def upgrade():
    now = datetime.now(UTC)
    with op.batch_alter_table('link', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_link_direction'), type_='check')
        batch_op.add_column(sa.Column('latest_checksum', sa.String(length=64), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('check_at', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('told_at', UtcDateTime(), nullable=True))
    link = sa.table(
        'link', sa.column('state', sa.String), sa.column('check_at', UtcDateTime), sa.column('told_at', UtcDateTime)
    )
    op.execute(link.update().values(check_at=now))
    op.execute(link.update().where(link.c.state.in_(['lost', 'forbidden'])).values(told_at=now))
    with op.batch_alter_table('link', schema=None) as batch_op:
        batch_op.alter_column('latest_checksum', existing_type=sa.String(length=64), server_default=None)
        batch_op.alter_column('check_at', existing_type=UtcDateTime(), nullable=False)
        batch_op.create_check_constraint(op.f('ck_link_direction'), "direction IN ('got', 'saved', 'linked')")
    op.create_index(
        'ix_link_check', 'link', ['check_at', 'server_id'], sqlite_where=LIVE, postgresql_where=LIVE
    )
    op.create_index('ix_link_untold', 'link', ['state'], sqlite_where=UNTOLD, postgresql_where=UNTOLD)
    op.create_table(
        'drift_decision',
        sa.Column('document_id', sa.Uuid(), nullable=False),
        sa.Column('server_id', sa.Uuid(), nullable=False),
        sa.Column('seen', sa.String(length=400), nullable=False),
        sa.Column('choice', sa.String(length=10), nullable=False),
        sa.Column('reason', sa.String(length=500), nullable=False),
        sa.Column('member_id', sa.Uuid(), nullable=False),
        sa.Column('at', UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "choice IN ('ignore', 'keep', 'hold', 'remove')", name=op.f('ck_drift_decision_choice')
        ),
        sa.ForeignKeyConstraint(
            ['document_id'], ['document.id'], name=op.f('fk_drift_decision_document_id_document'), ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(
            ['server_id'], ['server.id'], name=op.f('fk_drift_decision_server_id_server'), ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_drift_decision_member_id_member')),
        sa.PrimaryKeyConstraint('document_id', 'server_id', name=op.f('pk_drift_decision')),
    )
    op.create_table(
        'twin_watch',
        sa.Column('server_id', sa.Uuid(), nullable=False),
        sa.Column('leased_until', UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['server_id'], ['server.id'], name=op.f('fk_twin_watch_server_id_server'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('server_id', name=op.f('pk_twin_watch')),
    )
    op.create_table(
        'change_cursor',
        sa.Column('server_id', sa.Uuid(), nullable=False),
        sa.Column('library_key', sa.String(length=200), nullable=False),
        sa.Column('library', sa.String(length=200), nullable=False),
        sa.Column('cursor', sa.String(length=200), nullable=False),
        sa.Column('poll_at', UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['server_id'], ['server.id'], name=op.f('fk_change_cursor_server_id_server'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('server_id', 'library_key', name=op.f('pk_change_cursor')),
    )


def downgrade():
    op.drop_table('change_cursor')
    op.drop_table('twin_watch')
    op.drop_table('drift_decision')
    op.drop_index('ix_link_untold', 'link')
    op.drop_index('ix_link_check', 'link')
    # A link made by hand stays: as one that was saved, because nothing was got.
    op.execute("UPDATE link SET direction = 'saved' WHERE direction = 'linked'")
    with op.batch_alter_table('link', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_link_direction'), type_='check')
        batch_op.drop_column('told_at')
        batch_op.drop_column('check_at')
        batch_op.drop_column('latest_checksum')
        batch_op.create_check_constraint(op.f('ck_link_direction'), "direction IN ('got', 'saved')")
