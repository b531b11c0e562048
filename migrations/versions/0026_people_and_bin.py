"""Access until a date, undertakings, archived matters, and the bin of documents and matters

Revision: 0026, after 0025
"""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = '0026'
down_revision = '0025'
branch_labels = None
depends_on = None

PARTIAL = {
    'ix_matter_binned_at': ('matter', 'binned_at'),
    'ix_participant_until': ('participant', 'until'),
    'ix_document_binned_from_id': ('document', 'binned_from_id'),
}


def upgrade():
    with op.batch_alter_table('participant') as table:
        table.add_column(sa.Column('until', UtcDateTime()))
        table.add_column(sa.Column('reminded_at', UtcDateTime()))
    with op.batch_alter_table('matter') as table:
        table.add_column(sa.Column('archived_at', UtcDateTime()))
        table.add_column(sa.Column('binned_at', UtcDateTime()))
        table.add_column(sa.Column('binned_by_id', sa.Uuid()))
        table.create_foreign_key(op.f('fk_matter_binned_by_id_member'), 'member', ['binned_by_id'], ['id'])
    with op.batch_alter_table('document') as table:
        table.alter_column('matter_id', existing_type=sa.Uuid(), nullable=True)
        table.add_column(sa.Column('binned_from_id', sa.Uuid()))
        table.add_column(sa.Column('binned_at', UtcDateTime()))
        table.add_column(sa.Column('binned_by_id', sa.Uuid()))
        table.create_foreign_key(
            op.f('fk_document_binned_from_id_matter'), 'matter', ['binned_from_id'], ['id'], ondelete='CASCADE'
        )
        table.create_foreign_key(op.f('fk_document_binned_by_id_member'), 'member', ['binned_by_id'], ['id'])
    for name, (table, column) in PARTIAL.items():
        where = sa.text(f'{column} IS NOT NULL')
        op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)
    op.create_table(
        'undertaking',
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.Column('matter_id', sa.Uuid(), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('title', sa.String(length=200), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('created_by_id', sa.Uuid(), nullable=False),
        sa.Column('created_at', UtcDateTime(), nullable=False),
        sa.Column('ended_at', UtcDateTime()),
        sa.ForeignKeyConstraint(
            ['matter_id'], ['matter.id'], name=op.f('fk_undertaking_matter_id_matter'), ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(
            ['created_by_id'], ['member.id'], name=op.f('fk_undertaking_created_by_id_member')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_undertaking')),
        sa.UniqueConstraint('matter_id', 'number', name=op.f('uq_undertaking_matter_id')),
    )
    where = sa.text('ended_at IS NULL')
    op.create_index(
        'uq_undertaking_in_force',
        'undertaking',
        ['matter_id'],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )
    op.create_table(
        'acceptance',
        sa.Column('undertaking_id', sa.Uuid(), nullable=False),
        sa.Column('member_id', sa.Uuid(), nullable=False),
        sa.Column('name', sa.String(length=200), nullable=False),
        sa.Column('email', sa.String(length=320), nullable=False),
        sa.Column('organisation', sa.String(length=200), nullable=False),
        sa.Column('accepted_at', UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['undertaking_id'],
            ['undertaking.id'],
            name=op.f('fk_acceptance_undertaking_id_undertaking'),
            ondelete='CASCADE',
        ),
        sa.ForeignKeyConstraint(
            ['member_id'], ['member.id'], name=op.f('fk_acceptance_member_id_member'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('undertaking_id', 'member_id', name=op.f('pk_acceptance')),
    )
    op.create_index(op.f('ix_acceptance_member_id'), 'acceptance', ['member_id'])


def downgrade():
    """What is in the bin is back where it was."""
    op.drop_table('acceptance')
    op.drop_table('undertaking')
    for name, (table, _column) in PARTIAL.items():
        op.drop_index(name, table_name=table)
    documents = sa.table('document', sa.column('matter_id'), sa.column('binned_from_id'))
    op.execute(
        documents.update()
        .where(documents.c.binned_from_id.is_not(None))
        .values(matter_id=documents.c.binned_from_id)
    )
    with op.batch_alter_table('document') as table:
        table.drop_constraint(op.f('fk_document_binned_from_id_matter'), type_='foreignkey')
        table.drop_constraint(op.f('fk_document_binned_by_id_member'), type_='foreignkey')
        table.drop_column('binned_by_id')
        table.drop_column('binned_at')
        table.drop_column('binned_from_id')
        table.alter_column('matter_id', existing_type=sa.Uuid(), nullable=False)
    with op.batch_alter_table('matter') as table:
        table.drop_constraint(op.f('fk_matter_binned_by_id_member'), type_='foreignkey')
        table.drop_column('binned_by_id')
        table.drop_column('binned_at')
        table.drop_column('archived_at')
    with op.batch_alter_table('participant') as table:
        table.drop_column('reminded_at')
        table.drop_column('until')
