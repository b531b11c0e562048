"""Initial tables

Revision: 0001, after 
"""

import sqlalchemy as sa
from alembic import op
from models.base import UtcDateTime


revision = '0001'
down_revision = None
branch_labels = None
depends_on = None

FEW = (
    ('admins', 'is_admin = 1', 'is_admin'),
    ('guests', 'is_guest = 1', 'is_guest'),
    ('deactivated', 'is_active = 0', 'NOT is_active'),
)
# The trigram search of members on SQLite. Recreating the table member drops these triggers, so they must be recreated.
MEMBER_SEARCH = {
    'sqlite': (
        "CREATE TABLE member_number (number INTEGER PRIMARY KEY, member_id CHAR(32) NOT NULL UNIQUE)",
        "CREATE VIRTUAL TABLE member_trigram USING fts5(key, content='', tokenize='trigram case_sensitive 1')",
        """CREATE TRIGGER member_found AFTER INSERT ON member BEGIN
        INSERT INTO member_number (member_id) VALUES (new.id);
        INSERT INTO member_trigram (rowid, key)
        SELECT number, new.search_key FROM member_number WHERE member_id = new.id;
        END""",
        """CREATE TRIGGER member_found_anew AFTER UPDATE OF search_key ON member
        WHEN old.search_key <> new.search_key BEGIN
        INSERT INTO member_trigram (member_trigram, rowid, key)
        SELECT 'delete', number, old.search_key FROM member_number WHERE member_id = old.id;
        INSERT INTO member_trigram (rowid, key)
        SELECT number, new.search_key FROM member_number WHERE member_id = new.id;
        END""",
        """CREATE TRIGGER member_lost AFTER DELETE ON member BEGIN
        INSERT INTO member_trigram (member_trigram, rowid, key)
        SELECT 'delete', number, old.search_key FROM member_number WHERE member_id = old.id;
        DELETE FROM member_number WHERE member_id = old.id;
        END""",
    ),
    'postgresql': (
        "CREATE EXTENSION IF NOT EXISTS pg_trgm",
        "CREATE INDEX member_trigram ON member USING gin (search_key gin_trgm_ops) WITH (fastupdate = off)",
        "ALTER TABLE member ALTER COLUMN search_key SET STATISTICS 1000",
    ),
}


def folded(length):
    """Text that both databases sort by code point."""
    return sa.String(length=length).with_variant(sa.String(length=length, collation='C'), 'postgresql')


def upgrade():
    op.create_table('audit_event',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('action', sa.String(length=60), nullable=False),
    sa.Column('outcome', sa.String(length=10), nullable=False),
    sa.Column('actor_id', sa.Uuid(), nullable=True),
    sa.Column('actor_name', sa.String(length=300), nullable=False),
    sa.Column('address', sa.String(length=60), nullable=False),
    sa.Column('request_id', sa.String(length=60), nullable=False),
    sa.Column('subject_id', sa.Uuid(), nullable=True),
    sa.Column('subject', sa.String(length=400), nullable=False),
    sa.Column('matter_id', sa.Uuid(), nullable=True),
    sa.Column('server_id', sa.Uuid(), nullable=True),
    sa.Column('detail', sa.JSON(), nullable=False),
    sa.CheckConstraint("outcome IN ('done', 'refused', 'failed')", name=op.f('ck_audit_event_outcome')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_event'))
    )
    with op.batch_alter_table('audit_event', schema=None) as batch_op:
        batch_op.create_index('ix_audit_event_at', ['at'], unique=False)

    op.create_table('installation',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('setup_code_hash', sa.String(length=200), nullable=True),
    sa.Column('set_up_at', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_installation'))
    )
    op.create_table('member',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('email_key', folded(320), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('name_key', folded(400), nullable=False),
    sa.Column('search_key', folded(1100), nullable=False),
    sa.Column('organisation', sa.String(length=200), nullable=False),
    sa.Column('password_hash', sa.String(length=200), nullable=False),
    sa.Column('is_admin', sa.Boolean(), nullable=False),
    sa.Column('is_guest', sa.Boolean(), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('wants_mail', sa.Boolean(), nullable=False),
    sa.Column('wants_health_mail', sa.Boolean(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('deactivated_at', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_member')),
    sa.UniqueConstraint('email_key', name=op.f('uq_member_email_key'))
    )
    with op.batch_alter_table('member', schema=None) as batch_op:
        batch_op.create_index('ix_member_by_name', ['name_key', 'email_key', 'is_active', 'is_guest', 'is_admin'], unique=False)
        for few, on_sqlite, on_postgresql in FEW:
            batch_op.create_index(f'ix_member_{few}', ['name_key', 'email_key'], unique=False, sqlite_where=sa.text(on_sqlite), postgresql_where=sa.text(on_postgresql))
    for statement in MEMBER_SEARCH[op.get_bind().dialect.name]:
        op.execute(statement)

    op.create_table('invitation',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('email_key', folded(320), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('organisation', sa.String(length=200), nullable=False),
    sa.Column('is_guest', sa.Boolean(), nullable=False),
    sa.Column('invited_by', sa.String(length=200), nullable=False),
    sa.Column('member_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('expires_at', UtcDateTime(), nullable=False),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.Column('ended_as', sa.String(length=20), nullable=False),
    sa.CheckConstraint("ended_as IN ('', 'used', 'withdrawn', 'replaced')", name=op.f('ck_invitation_ended_as')),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_invitation_member_id_member'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invitation')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_invitation_token_hash'))
    )
    with op.batch_alter_table('invitation', schema=None) as batch_op:
        batch_op.create_index('ix_invitation_created_at', ['created_at'], unique=False)
        batch_op.create_index('uq_invitation_open', ['email_key'], unique=True, sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))

    op.create_table('member_import',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('member_id', sa.Uuid(), nullable=False),
    sa.Column('file_name', sa.String(length=200), nullable=False),
    sa.Column('rows', sa.JSON(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_member_import_member_id_member'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_member_import'))
    )
    with op.batch_alter_table('member_import', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_member_import_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_member_import_member_id'), ['member_id'], unique=False)

    op.create_table('server',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('name_key', sa.String(length=200), nullable=False),
    sa.Column('subdomain', sa.String(length=63), nullable=False),
    sa.Column('url', sa.String(length=300), nullable=False),
    sa.Column('api_url', sa.String(length=300), nullable=False),
    sa.Column('client_id', sa.String(length=200), nullable=False),
    sa.Column('client_secret', sa.Text(), nullable=False),
    sa.Column('redirect_url', sa.String(length=500), nullable=False),
    sa.Column('auth_header', sa.String(length=20), nullable=False),
    sa.Column('ca_pem', sa.Text(), nullable=True),
    sa.Column('is_practice', sa.Boolean(), nullable=False),
    sa.Column('is_enabled', sa.Boolean(), nullable=False),
    sa.Column('is_restricted', sa.Boolean(), nullable=False),
    sa.Column('at_once', sa.Integer(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('changed_at', UtcDateTime(), nullable=False),
    sa.CheckConstraint("kind IN ('cloud', 'on_premise')", name=op.f('ck_server_kind')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_server')),
    sa.UniqueConstraint('name_key', name=op.f('uq_server_name_key')),
    sa.UniqueConstraint('url', name=op.f('uq_server_url'))
    )
    op.create_table('server_removal',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('url', sa.String(length=300), nullable=False),
    sa.Column('removed_by', sa.String(length=200), nullable=False),
    sa.Column('removed_at', UtcDateTime(), nullable=False),
    sa.Column('link_count', sa.Integer(), nullable=False),
    sa.Column('links_csv', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_server_removal'))
    )
    with op.batch_alter_table('server_removal', schema=None) as batch_op:
        batch_op.create_index('ix_server_removal_removed_at', ['removed_at'], unique=False)

    op.create_table('sign_in_attempt',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in_attempt'))
    )
    with op.batch_alter_table('sign_in_attempt', schema=None) as batch_op:
        batch_op.create_index('ix_sign_in_attempt_key_at', ['key', 'at'], unique=False)

    op.create_table('worker_heartbeat',
    sa.Column('executor_id', sa.String(length=60), nullable=False),
    sa.Column('started_at', UtcDateTime(), nullable=False),
    sa.Column('seen_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('executor_id', name=op.f('pk_worker_heartbeat'))
    )
    op.create_table('connection',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('server_id', sa.Uuid(), nullable=False),
    sa.Column('member_id', sa.Uuid(), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('access_token', sa.Text(), nullable=False),
    sa.Column('refresh_token', sa.Text(), nullable=True),
    sa.Column('expires_at', UtcDateTime(), nullable=True),
    sa.Column('imanage_user', sa.String(length=200), nullable=False),
    sa.Column('imanage_name', sa.String(length=300), nullable=False),
    sa.Column('imanage_email', sa.String(length=320), nullable=False),
    sa.Column('base_url', sa.String(length=500), nullable=False),
    sa.Column('preferred_library', sa.String(length=200), nullable=False),
    sa.Column('connected_at', UtcDateTime(), nullable=False),
    sa.Column('refreshed_at', UtcDateTime(), nullable=False),
    sa.Column('refreshing_until', UtcDateTime(), nullable=True),
    sa.CheckConstraint("state IN ('connected', 'sign_in_again')", name=op.f('ck_connection_state')),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_connection_member_id_member'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['server_id'], ['server.id'], name=op.f('fk_connection_server_id_server'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_connection')),
    sa.UniqueConstraint('server_id', 'member_id', name='uq_connection_server_member')
    )
    with op.batch_alter_table('connection', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_connection_member_id'), ['member_id'], unique=False)

    op.create_table('matter',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('client_number', sa.String(length=50), nullable=False),
    sa.Column('matter_number', sa.String(length=50), nullable=False),
    sa.Column('search_key', sa.String(length=1500), nullable=False),
    sa.Column('created_by_id', sa.Uuid(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('changed_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['created_by_id'], ['member.id'], name=op.f('fk_matter_created_by_id_member')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_matter'))
    )
    with op.batch_alter_table('matter', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_matter_changed_at'), ['changed_at'], unique=False)

    op.create_table('application_package',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('request_key', sa.Uuid(), nullable=False),
    sa.Column('application_id', sa.String(length=100), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('publisher', sa.String(length=100), nullable=False),
    sa.Column('organization', sa.String(length=100), nullable=False),
    sa.Column('redirect_url', sa.String(length=500), nullable=False),
    sa.Column('key_hash', sa.String(length=64), nullable=False),
    sa.Column('secret_hash', sa.String(length=64), nullable=False),
    sa.Column('sealed', sa.Text(), nullable=False),
    sa.Column('open_until', UtcDateTime(), nullable=False),
    sa.Column('made_by_id', sa.Uuid(), nullable=True),
    sa.Column('made_by', sa.String(length=200), nullable=False),
    sa.Column('made_at', UtcDateTime(), nullable=False),
    sa.Column('server_id', sa.Uuid(), nullable=True),
    sa.Column('settled_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['made_by_id'], ['member.id'], name=op.f('fk_application_package_made_by_id_member'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['server_id'], ['server.id'], name=op.f('fk_application_package_server_id_server'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_application_package')),
    sa.UniqueConstraint('key_hash', name=op.f('uq_application_package_key_hash')),
    sa.UniqueConstraint('request_key', name=op.f('uq_application_package_request_key')),
    sa.UniqueConstraint('secret_hash', name=op.f('uq_application_package_secret_hash'))
    )
    with op.batch_alter_table('application_package', schema=None) as batch_op:
        batch_op.create_index('ix_application_package_made_at', ['made_at'], unique=False)

    op.create_table('server_pause',
    sa.Column('server_id', sa.Uuid(), nullable=False),
    sa.Column('until', UtcDateTime(), nullable=True),
    sa.Column('code', sa.String(length=80), nullable=False),
    sa.Column('sentence', sa.String(length=600), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('failed_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['server_id'], ['server.id'], name=op.f('fk_server_pause_server_id_server'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('server_id', name=op.f('pk_server_pause'))
    )
    op.create_table('server_health',
    sa.Column('server_id', sa.Uuid(), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('since', UtcDateTime(), nullable=False),
    sa.Column('checked_at', UtcDateTime(), nullable=True),
    sa.Column('code', sa.String(length=80), nullable=False),
    sa.Column('sentence', sa.String(length=600), nullable=False),
    sa.Column('due_at', UtcDateTime(), nullable=False),
    sa.Column('as_changed_at', UtcDateTime(), nullable=True),
    sa.Column('told_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['server_id'], ['server.id'], name=op.f('fk_server_health_server_id_server'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('server_id', name=op.f('pk_server_health'))
    )
    op.create_table('server_health_day',
    sa.Column('server_id', sa.Uuid(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('healthy', sa.Integer(), nullable=False),
    sa.Column('warning', sa.Integer(), nullable=False),
    sa.Column('failing', sa.Integer(), nullable=False),
    sa.Column('seconds', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['server_id'], ['server.id'], name=op.f('fk_server_health_day_server_id_server'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('server_id', 'day', name=op.f('pk_server_health_day'))
    )
    op.create_table('server_check',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('server_id', sa.Uuid(), nullable=False),
    sa.Column('started_by', sa.String(length=300), nullable=False),
    sa.Column('started_at', UtcDateTime(), nullable=False),
    sa.Column('seen_at', UtcDateTime(), nullable=False),
    sa.Column('finished_at', UtcDateTime(), nullable=True),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('code', sa.String(length=80), nullable=False),
    sa.Column('plan', sa.JSON(), nullable=False),
    sa.Column('results', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['server_id'], ['server.id'], name=op.f('fk_server_check_server_id_server'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_server_check'))
    )
    with op.batch_alter_table('server_check', schema=None) as batch_op:
        batch_op.create_index('ix_server_check_server_started', ['server_id', 'started_at'], unique=False)

    op.create_table('member_group',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('name_key', sa.String(length=200), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_member_group')),
    sa.UniqueConstraint('name_key', name=op.f('uq_member_group_name_key'))
    )
    op.create_table('group_member',
    sa.Column('group_id', sa.Uuid(), nullable=False),
    sa.Column('member_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['group_id'], ['member_group.id'], name=op.f('fk_group_member_group_id_member_group'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_group_member_member_id_member'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('group_id', 'member_id', name=op.f('pk_group_member'))
    )
    with op.batch_alter_table('group_member', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_group_member_member_id'), ['member_id'], unique=False)

    op.create_table('server_group',
    sa.Column('server_id', sa.Uuid(), nullable=False),
    sa.Column('group_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['group_id'], ['member_group.id'], name=op.f('fk_server_group_group_id_member_group'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['server_id'], ['server.id'], name=op.f('fk_server_group_server_id_server'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('server_id', 'group_id', name=op.f('pk_server_group'))
    )
    with op.batch_alter_table('server_group', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_server_group_group_id'), ['group_id'], unique=False)

    op.create_table('server_member',
    sa.Column('server_id', sa.Uuid(), nullable=False),
    sa.Column('member_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_server_member_member_id_member'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['server_id'], ['server.id'], name=op.f('fk_server_member_server_id_server'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('server_id', 'member_id', name=op.f('pk_server_member'))
    )
    with op.batch_alter_table('server_member', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_server_member_member_id'), ['member_id'], unique=False)

    op.create_table('sign_in_session',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('member_id', sa.Uuid(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('seen_at', UtcDateTime(), nullable=False),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_sign_in_session_member_id_member'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in_session')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_sign_in_session_token_hash'))
    )
    with op.batch_alter_table('sign_in_session', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sign_in_session_member_id'), ['member_id'], unique=False)

    op.create_table('document',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('matter_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=260), nullable=False),
    sa.Column('name_key', sa.String(length=400), nullable=False),
    sa.Column('current_version_id', sa.Uuid(), nullable=True),
    sa.Column('created_by_id', sa.Uuid(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('changed_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['created_by_id'], ['member.id'], name=op.f('fk_document_created_by_id_member')),
    sa.ForeignKeyConstraint(['current_version_id'], ['version.id'], name='fk_document_current_version_id_version', use_alter=True),
    sa.ForeignKeyConstraint(['matter_id'], ['matter.id'], name=op.f('fk_document_matter_id_matter'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_document'))
    )
    with op.batch_alter_table('document', schema=None) as batch_op:
        batch_op.create_index('ix_document_matter_changed', ['matter_id', 'changed_at'], unique=False)
        batch_op.create_index('ix_document_matter_name_key', ['matter_id', 'name_key'], unique=False)

    op.create_table('oauth_state',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('state_hash', sa.String(length=64), nullable=False),
    sa.Column('session_id', sa.Uuid(), nullable=False),
    sa.Column('member_id', sa.Uuid(), nullable=False),
    sa.Column('server_id', sa.Uuid(), nullable=False),
    sa.Column('server_changed_at', UtcDateTime(), nullable=False),
    sa.Column('verifier', sa.Text(), nullable=False),
    sa.Column('return_to', sa.String(length=500), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('used_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_oauth_state_member_id_member'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['server_id'], ['server.id'], name=op.f('fk_oauth_state_server_id_server'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['session_id'], ['sign_in_session.id'], name=op.f('fk_oauth_state_session_id_sign_in_session'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_oauth_state')),
    sa.UniqueConstraint('state_hash', name=op.f('uq_oauth_state_state_hash'))
    )
    op.create_table('participant',
    sa.Column('matter_id', sa.Uuid(), nullable=False),
    sa.Column('member_id', sa.Uuid(), nullable=False),
    sa.Column('role', sa.String(length=10), nullable=False),
    sa.Column('added_at', UtcDateTime(), nullable=False),
    sa.CheckConstraint("role IN ('lead', 'editor', 'viewer')", name=op.f('ck_participant_role')),
    sa.ForeignKeyConstraint(['matter_id'], ['matter.id'], name=op.f('fk_participant_matter_id_matter'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_participant_member_id_member'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('matter_id', 'member_id', name=op.f('pk_participant'))
    )
    with op.batch_alter_table('participant', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_participant_member_id'), ['member_id'], unique=False)

    op.create_table('transfer',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('request_key', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('matter_id', sa.Uuid(), nullable=False),
    sa.Column('server_id', sa.Uuid(), nullable=True),
    sa.Column('server_name', sa.String(length=100), nullable=False),
    sa.Column('member_id', sa.Uuid(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('finished_at', UtcDateTime(), nullable=True),
    sa.Column('cancelled_at', UtcDateTime(), nullable=True),
    sa.Column('paused_at', UtcDateTime(), nullable=True),
    sa.Column('seen_at', UtcDateTime(), nullable=True),
    sa.CheckConstraint("kind IN ('get', 'save')", name=op.f('ck_transfer_kind')),
    sa.ForeignKeyConstraint(['matter_id'], ['matter.id'], name=op.f('fk_transfer_matter_id_matter'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_transfer_member_id_member')),
    sa.ForeignKeyConstraint(['server_id'], ['server.id'], name=op.f('fk_transfer_server_id_server'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_transfer')),
    sa.UniqueConstraint('request_key', name=op.f('uq_transfer_request_key'))
    )
    with op.batch_alter_table('transfer', schema=None) as batch_op:
        batch_op.create_index('ix_transfer_matter_created', ['matter_id', 'created_at'], unique=False)
        batch_op.create_index('ix_transfer_member_finished', ['member_id', 'finished_at'], unique=False)

    op.create_table('version',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('document_id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('file_name', sa.String(length=260), nullable=False),
    sa.Column('origin', sa.String(length=10), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('created_by_id', sa.Uuid(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.CheckConstraint("origin IN ('upload', 'imanage')", name=op.f('ck_version_origin')),
    sa.ForeignKeyConstraint(['created_by_id'], ['member.id'], name=op.f('fk_version_created_by_id_member')),
    sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_version_document_id_document'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_version')),
    sa.UniqueConstraint('document_id', 'number', name='uq_version_document_number')
    )
    with op.batch_alter_table('version', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_version_sha256'), ['sha256'], unique=False)

    op.create_table('link',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('server_id', sa.Uuid(), nullable=False),
    sa.Column('document_id', sa.Uuid(), nullable=False),
    sa.Column('version_id', sa.Uuid(), nullable=False),
    sa.Column('direction', sa.String(length=10), nullable=False),
    sa.Column('library', sa.String(length=200), nullable=False),
    sa.Column('library_key', sa.String(length=200), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=300), nullable=False),
    sa.Column('checksum', sa.String(length=64), nullable=False),
    sa.Column('url', sa.String(length=600), nullable=False),
    sa.Column('member_id', sa.Uuid(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('latest_version', sa.Integer(), nullable=False),
    sa.Column('checked_at', UtcDateTime(), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.CheckConstraint("direction IN ('got', 'saved')", name=op.f('ck_link_direction')),
    sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_link_document_id_document'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_link_member_id_member')),
    sa.ForeignKeyConstraint(['server_id'], ['server.id'], name=op.f('fk_link_server_id_server'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['version_id'], ['version.id'], name=op.f('fk_link_version_id_version'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_link'))
    )
    with op.batch_alter_table('link', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_link_document_id'), ['document_id'], unique=False)
        batch_op.create_index('ix_link_source', ['server_id', 'library_key', 'number'], unique=False)
        batch_op.create_index(batch_op.f('ix_link_version_id'), ['version_id'], unique=False)

    op.create_table('mail',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('transfer_id', sa.Uuid(), nullable=True),
    sa.Column('server_id', sa.Uuid(), nullable=True),
    sa.Column('member_id', sa.Uuid(), nullable=True),
    sa.Column('about', sa.String(length=80), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('due_at', UtcDateTime(), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('closed_at', UtcDateTime(), nullable=True),
    sa.Column('outcome', sa.String(length=300), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_mail_member_id_member'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['server_id'], ['server.id'], name=op.f('fk_mail_server_id_server'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['transfer_id'], ['transfer.id'], name=op.f('fk_mail_transfer_id_transfer'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mail')),
    sa.UniqueConstraint('server_id', 'member_id', 'about', name=op.f('uq_mail_server_id')),
    sa.UniqueConstraint('transfer_id', name=op.f('uq_mail_transfer_id'))
    )
    with op.batch_alter_table('mail', schema=None) as batch_op:
        batch_op.create_index('ix_mail_due', ['closed_at', 'due_at'], unique=False)

    op.create_table('transfer_item',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('transfer_id', sa.Uuid(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=300), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('state_at', UtcDateTime(), nullable=False),
    sa.Column('source_id', sa.String(length=300), nullable=False),
    sa.Column('document_id', sa.Uuid(), nullable=True),
    sa.Column('version_id', sa.Uuid(), nullable=True),
    sa.Column('target', sa.String(length=20), nullable=False),
    sa.Column('target_id', sa.String(length=300), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=True),
    sa.Column('bytes_done', sa.BigInteger(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('progress_at', UtcDateTime(), nullable=True),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('wait_until', UtcDateTime(), nullable=True),
    sa.Column('load_id', sa.Uuid(), nullable=True),
    sa.Column('fence', sa.Integer(), nullable=False),
    sa.Column('based_on', sa.Integer(), nullable=True),
    sa.Column('announced_at', UtcDateTime(), nullable=True),
    sa.Column('sent_at', UtcDateTime(), nullable=True),
    sa.Column('sends', sa.Integer(), nullable=False),
    sa.Column('intent', sa.JSON(), nullable=True),
    sa.Column('receipt', sa.JSON(), nullable=True),
    sa.Column('question', sa.JSON(), nullable=True),
    sa.Column('warnings', sa.JSON(), nullable=True),
    sa.Column('error_code', sa.String(length=80), nullable=False),
    sa.Column('error_sentence', sa.String(length=600), nullable=False),
    sa.Column('next_step', sa.String(length=600), nullable=False),
    sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_transfer_item_document_id_document'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['transfer_id'], ['transfer.id'], name=op.f('fk_transfer_item_transfer_id_transfer'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['version_id'], ['version.id'], name=op.f('fk_transfer_item_version_id_version'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_transfer_item'))
    )
    with op.batch_alter_table('transfer_item', schema=None) as batch_op:
        batch_op.create_index('ix_transfer_item_due', ['state', 'load_id', 'position'], unique=False)
        batch_op.create_index('ix_transfer_item_transfer', ['transfer_id', 'position'], unique=False)

    # Documents and versions refer to each other. SQLite has this key in the table definition; others add it last.
    if op.get_bind().dialect.name != 'sqlite':
        op.create_foreign_key('fk_document_current_version_id_version', 'document', 'version', ['current_version_id'], ['id'])


def downgrade():
    op.execute('UPDATE document SET current_version_id = NULL')
    if op.get_bind().dialect.name != 'sqlite':
        op.drop_constraint('fk_document_current_version_id_version', 'document', type_='foreignkey')
    with op.batch_alter_table('transfer_item', schema=None) as batch_op:
        batch_op.drop_index('ix_transfer_item_transfer')
        batch_op.drop_index('ix_transfer_item_due')

    op.drop_table('transfer_item')
    with op.batch_alter_table('mail', schema=None) as batch_op:
        batch_op.drop_index('ix_mail_due')

    op.drop_table('mail')
    with op.batch_alter_table('link', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_link_version_id'))
        batch_op.drop_index('ix_link_source')
        batch_op.drop_index(batch_op.f('ix_link_document_id'))

    op.drop_table('link')
    with op.batch_alter_table('version', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_version_sha256'))

    op.drop_table('version')
    with op.batch_alter_table('transfer', schema=None) as batch_op:
        batch_op.drop_index('ix_transfer_member_finished')
        batch_op.drop_index('ix_transfer_matter_created')

    op.drop_table('transfer')
    with op.batch_alter_table('participant', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_participant_member_id'))

    op.drop_table('participant')
    op.drop_table('oauth_state')
    with op.batch_alter_table('document', schema=None) as batch_op:
        batch_op.drop_index('ix_document_matter_name_key')
        batch_op.drop_index('ix_document_matter_changed')

    op.drop_table('document')
    with op.batch_alter_table('sign_in_session', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sign_in_session_member_id'))

    op.drop_table('sign_in_session')
    with op.batch_alter_table('server_member', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_server_member_member_id'))

    op.drop_table('server_member')
    with op.batch_alter_table('server_group', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_server_group_group_id'))

    op.drop_table('server_group')
    with op.batch_alter_table('group_member', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_group_member_member_id'))

    op.drop_table('group_member')
    op.drop_table('member_group')
    with op.batch_alter_table('matter', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_matter_changed_at'))

    op.drop_table('matter')
    with op.batch_alter_table('connection', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_connection_member_id'))

    op.drop_table('connection')
    op.drop_table('worker_heartbeat')
    with op.batch_alter_table('sign_in_attempt', schema=None) as batch_op:
        batch_op.drop_index('ix_sign_in_attempt_key_at')

    op.drop_table('sign_in_attempt')
    with op.batch_alter_table('server_removal', schema=None) as batch_op:
        batch_op.drop_index('ix_server_removal_removed_at')

    op.drop_table('server_removal')
    with op.batch_alter_table('application_package', schema=None) as batch_op:
        batch_op.drop_index('ix_application_package_made_at')

    op.drop_table('application_package')
    op.drop_table('server_health_day')
    op.drop_table('server_health')
    op.drop_table('server_pause')
    with op.batch_alter_table('server_check', schema=None) as batch_op:
        batch_op.drop_index('ix_server_check_server_started')

    op.drop_table('server_check')
    op.drop_table('server')
    op.drop_table('member_import')
    op.drop_table('invitation')
    op.drop_table('member')
    if op.get_bind().dialect.name == 'sqlite':
        op.drop_table('member_trigram')
        op.drop_table('member_number')
    op.drop_table('installation')
    with op.batch_alter_table('audit_event', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_event_at')

    op.drop_table('audit_event')
