"""Numbers from iManage are 64-bit, and its URLs of any length

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade():
    _change(sa.Integer(), sa.BigInteger(), sa.String(length=600), sa.Text())


def downgrade():
    _change(sa.BigInteger(), sa.Integer(), sa.Text(), sa.String(length=600))


def _change(number, wanted_number, address, wanted_address):
    with op.batch_alter_table('link', schema=None) as batch_op:
        for name in ('number', 'version', 'latest_version'):
            batch_op.alter_column(name, existing_type=number, type_=wanted_number, existing_nullable=False)
        batch_op.alter_column(
            'url', existing_type=address, type_=wanted_address, existing_nullable=False
        )
    with op.batch_alter_table('transfer_item', schema=None) as batch_op:
        batch_op.alter_column(
            'based_on', existing_type=number, type_=wanted_number, existing_nullable=True
        )
