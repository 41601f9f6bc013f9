CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE users (
	id INTEGER NOT NULL,
	name VARCHAR(200) NOT NULL,
	role VARCHAR(50) NOT NULL,
	is_active BOOLEAN NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	CONSTRAINT pk_users PRIMARY KEY (id),
	CONSTRAINT uq_users_name UNIQUE (name)
);

CREATE TABLE workers (
	id INTEGER NOT NULL,
	name VARCHAR(200) NOT NULL,
	host VARCHAR(200) NOT NULL,
	pid INTEGER NOT NULL,
	capabilities JSON NOT NULL,
	started_at DATETIME NOT NULL,
	seen_at DATETIME NOT NULL,
	CONSTRAINT pk_workers PRIMARY KEY (id),
	CONSTRAINT uq_workers_name UNIQUE (name)
);

CREATE INDEX ix_workers_seen_at ON workers (seen_at);

CREATE TABLE audit_log (
	id INTEGER NOT NULL,
	at DATETIME NOT NULL,
	user_id INTEGER NOT NULL,
	project_id INTEGER NOT NULL,
	action VARCHAR(100) NOT NULL,
	resource VARCHAR(500),
	request_id VARCHAR(64),
	CONSTRAINT pk_audit_log PRIMARY KEY (id),
	CONSTRAINT fk_audit_log_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE INDEX ix_audit_log_at ON audit_log (at);

CREATE INDEX ix_audit_log_project_id_id ON audit_log (project_id, id);

CREATE INDEX ix_audit_log_user_id ON audit_log (user_id);

CREATE TABLE idempotency_keys (
	id INTEGER NOT NULL,
	user_id INTEGER NOT NULL,
	path VARCHAR(500) NOT NULL,
	"key" VARCHAR(255) NOT NULL,
	body_sha256 VARCHAR(64),
	status INTEGER,
	headers JSON,
	body BLOB,
	created_at DATETIME NOT NULL,
	CONSTRAINT pk_idempotency_keys PRIMARY KEY (id),
	CONSTRAINT fk_idempotency_keys_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
	CONSTRAINT uq_idempotency_keys_user_id_path_key UNIQUE (user_id, path, "key")
);

CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at);

CREATE TABLE projects (
	id INTEGER NOT NULL,
	name VARCHAR(200) NOT NULL,
	description TEXT NOT NULL,
	created_by INTEGER NOT NULL,
	archived_at DATETIME,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	CONSTRAINT pk_projects PRIMARY KEY (id),
	CONSTRAINT fk_projects_created_by_users FOREIGN KEY(created_by) REFERENCES users (id),
	CONSTRAINT uq_projects_name UNIQUE (name)
);

CREATE TABLE jobs (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	kind VARCHAR(50) NOT NULL,
	name VARCHAR(200) NOT NULL,
	state VARCHAR(20) NOT NULL,
	spec JSON NOT NULL,
	spec_sha256 VARCHAR(64),
	inputs JSON NOT NULL,
	result JSON,
	error JSON,
	graph_id INTEGER,
	priority INTEGER NOT NULL,
	start_after DATETIME,
	lease INTEGER NOT NULL,
	lease_owner VARCHAR(200),
	lease_expires_at DATETIME,
	end_requested VARCHAR(10),
	attempt INTEGER NOT NULL,
	first_attempt INTEGER NOT NULL,
	discarded_attempts INTEGER NOT NULL,
	starts_without_checkpoint INTEGER NOT NULL,
	last_checkpoint_step INTEGER,
	resumed BOOLEAN NOT NULL,
	step INTEGER NOT NULL,
	total_steps INTEGER,
	progress DOUBLE NOT NULL,
	eta_seconds DOUBLE,
	message TEXT,
	queued_at DATETIME,
	started_at DATETIME,
	finished_at DATETIME,
	project_id INTEGER NOT NULL,
	created_by INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL, device VARCHAR(255),
	CONSTRAINT fk_jobs_created_by_users FOREIGN KEY(created_by) REFERENCES users (id),
	CONSTRAINT fk_jobs_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id)
);

CREATE INDEX ix_jobs_graph_id ON jobs (graph_id);

CREATE INDEX ix_jobs_kind_id ON jobs (kind, id);

CREATE INDEX ix_jobs_kind_spec_sha256 ON jobs (kind, spec_sha256);

CREATE INDEX ix_jobs_project_id ON jobs (project_id);

CREATE INDEX ix_jobs_state_lease_expires_at ON jobs (state, lease_expires_at);

CREATE INDEX ix_jobs_state_priority_id ON jobs (state, priority, id);

CREATE TABLE project_members (
	project_id INTEGER NOT NULL,
	user_id INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	CONSTRAINT pk_project_members PRIMARY KEY (project_id, user_id),
	CONSTRAINT fk_project_members_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE,
	CONSTRAINT fk_project_members_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX ix_project_members_user_id ON project_members (user_id);

CREATE TABLE job_dependencies (
	job_id INTEGER NOT NULL,
	after_id INTEGER NOT NULL,
	CONSTRAINT pk_job_dependencies PRIMARY KEY (job_id, after_id),
	CONSTRAINT fk_job_dependencies_after_id_jobs FOREIGN KEY(after_id) REFERENCES jobs (id) ON DELETE CASCADE,
	CONSTRAINT fk_job_dependencies_job_id_jobs FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);

CREATE INDEX ix_job_dependencies_after_id ON job_dependencies (after_id);

CREATE TABLE job_events (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	job_id INTEGER NOT NULL,
	attempt INTEGER NOT NULL,
	byte_offset INTEGER,
	type VARCHAR(20) NOT NULL,
	payload JSON NOT NULL,
	at DATETIME NOT NULL,
	CONSTRAINT fk_job_events_job_id_jobs FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE,
	CONSTRAINT uq_job_events_job_id_attempt_byte_offset UNIQUE (job_id, attempt, byte_offset)
);

CREATE INDEX ix_job_events_job_id_id ON job_events (job_id, id);

CREATE TABLE models (
	id INTEGER NOT NULL,
	model_id VARCHAR(255) NOT NULL,
	path TEXT NOT NULL,
	model_metadata JSON NOT NULL,
	last_used DATETIME NOT NULL,
	project_id INTEGER NOT NULL,
	created_by INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	CONSTRAINT pk_models PRIMARY KEY (id),
	CONSTRAINT fk_models_created_by_users FOREIGN KEY(created_by) REFERENCES users (id),
	CONSTRAINT fk_models_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id),
	CONSTRAINT uq_models_project_id_model_id UNIQUE (project_id, model_id),
	CONSTRAINT uq_models_project_id_path UNIQUE (project_id, path)
);

CREATE INDEX ix_models_last_used ON models (last_used);

CREATE INDEX ix_models_project_id ON models (project_id);

CREATE TABLE workbench_states (
	id INTEGER NOT NULL,
	model_id VARCHAR(255),
	model_path TEXT,
	model_metadata JSON,
	project_id INTEGER NOT NULL,
	created_by INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL, dataset_id INTEGER REFERENCES training_datasets (id), uploaded_dataset_id INTEGER REFERENCES training_datasets (id), dataset_job_id INTEGER REFERENCES jobs (id), training JSON, training_job_id INTEGER REFERENCES jobs (id), conversation_id INTEGER,
	CONSTRAINT pk_workbench_states PRIMARY KEY (id),
	CONSTRAINT fk_workbench_states_created_by_users FOREIGN KEY(created_by) REFERENCES users (id),
	CONSTRAINT fk_workbench_states_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id),
	CONSTRAINT uq_workbench_states_project_id_created_by UNIQUE (project_id, created_by)
);

CREATE INDEX ix_workbench_states_project_id ON workbench_states (project_id);

CREATE TABLE model_registry (
	id INTEGER NOT NULL,
	model_name VARCHAR(255) NOT NULL,
	version VARCHAR(50) NOT NULL,
	base_model VARCHAR(512) NOT NULL,
	job_id INTEGER,
	register_job_id INTEGER,
	status VARCHAR(20) NOT NULL,
	description TEXT NOT NULL,
	model_size_gb DOUBLE NOT NULL,
	tags JSON NOT NULL,
	publication JSON NOT NULL,
	model_metadata JSON NOT NULL,
	mlflow_model_uri VARCHAR(500),
	promoted_at DATETIME,
	archived_at DATETIME,
	project_id INTEGER NOT NULL,
	created_by INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	CONSTRAINT pk_model_registry PRIMARY KEY (id),
	CONSTRAINT fk_model_registry_created_by_users FOREIGN KEY(created_by) REFERENCES users (id),
	CONSTRAINT fk_model_registry_job_id_jobs FOREIGN KEY(job_id) REFERENCES jobs (id),
	CONSTRAINT fk_model_registry_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id),
	CONSTRAINT uq_model_registry_project_id_model_name_version UNIQUE (project_id, model_name, version),
	CONSTRAINT uq_model_registry_register_job_id UNIQUE (register_job_id)
);

CREATE INDEX ix_model_registry_base_model_id ON model_registry (base_model, id);

CREATE INDEX ix_model_registry_job_id ON model_registry (job_id);

CREATE INDEX ix_model_registry_project_id ON model_registry (project_id);

CREATE INDEX ix_model_registry_status_id ON model_registry (status, id);

CREATE TABLE training_datasets (
	id INTEGER NOT NULL,
	name VARCHAR(200) NOT NULL,
	slug VARCHAR(255) NOT NULL,
	version VARCHAR(50) NOT NULL,
	description TEXT,
	tags JSON NOT NULL,
	dataset_metadata JSON NOT NULL,
	format VARCHAR(40) NOT NULL,
	status VARCHAR(20) NOT NULL,
	file_name VARCHAR(255) NOT NULL,
	file_kind VARCHAR(20) NOT NULL,
	file_path VARCHAR(1024) NOT NULL,
	encoding VARCHAR(40) NOT NULL,
	size_bytes BIGINT NOT NULL,
	sha256 VARCHAR(64) NOT NULL,
	parent_id INTEGER,
	source JSON NOT NULL,
	source_job_id INTEGER,
	total_samples BIGINT,
	avg_instruction_length DOUBLE,
	avg_output_length DOUBLE,
	preprocessed_path TEXT,
	quality_score DOUBLE,
	findings_counts JSON,
	examination VARCHAR(255),
	job_id INTEGER,
	validated_at DATETIME,
	archived_at DATETIME,
	project_id INTEGER NOT NULL,
	created_by INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL, packing VARCHAR(20) DEFAULT 'none' NOT NULL, plain_path VARCHAR(1024), column_mapping JSON, row_map VARCHAR(1024), purged_at DATETIME,
	CONSTRAINT pk_training_datasets PRIMARY KEY (id),
	CONSTRAINT fk_training_datasets_created_by_users FOREIGN KEY(created_by) REFERENCES users (id),
	CONSTRAINT fk_training_datasets_job_id_jobs FOREIGN KEY(job_id) REFERENCES jobs (id),
	CONSTRAINT fk_training_datasets_parent_id_training_datasets FOREIGN KEY(parent_id) REFERENCES training_datasets (id),
	CONSTRAINT fk_training_datasets_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id),
	CONSTRAINT fk_training_datasets_source_job_id_jobs FOREIGN KEY(source_job_id) REFERENCES jobs (id),
	CONSTRAINT uq_training_datasets_project_id_name_version UNIQUE (project_id, name, version)
);

CREATE INDEX ix_training_datasets_parent_id ON training_datasets (parent_id);

CREATE INDEX ix_training_datasets_project_id ON training_datasets (project_id);

CREATE INDEX ix_training_datasets_project_id_id ON training_datasets (project_id, id);

CREATE INDEX ix_training_datasets_sha256 ON training_datasets (sha256);

CREATE INDEX ix_training_datasets_source_job_id ON training_datasets (source_job_id);

CREATE INDEX ix_training_datasets_status ON training_datasets (status);

CREATE TABLE dataset_quality_logs (
	id INTEGER NOT NULL,
	dataset_id INTEGER NOT NULL,
	quality_score DOUBLE NOT NULL,
	pii JSON NOT NULL,
	duplicates JSON NOT NULL,
	format_errors JSON NOT NULL,
	project_id INTEGER NOT NULL,
	created_by INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL, details JSON DEFAULT '{}' NOT NULL,
	CONSTRAINT pk_dataset_quality_logs PRIMARY KEY (id),
	CONSTRAINT fk_dataset_quality_logs_created_by_users FOREIGN KEY(created_by) REFERENCES users (id),
	CONSTRAINT fk_dataset_quality_logs_dataset_id_training_datasets FOREIGN KEY(dataset_id) REFERENCES training_datasets (id) ON DELETE CASCADE,
	CONSTRAINT fk_dataset_quality_logs_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id)
);

CREATE INDEX ix_dataset_quality_logs_dataset_id ON dataset_quality_logs (dataset_id);

CREATE INDEX ix_dataset_quality_logs_project_id ON dataset_quality_logs (project_id);

CREATE TABLE model_evidence (
	id INTEGER NOT NULL,
	model_id INTEGER NOT NULL,
	kind VARCHAR(50) NOT NULL,
	source VARCHAR(200) NOT NULL,
	document JSON NOT NULL,
	project_id INTEGER NOT NULL,
	created_by INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	CONSTRAINT pk_model_evidence PRIMARY KEY (id),
	CONSTRAINT fk_model_evidence_created_by_users FOREIGN KEY(created_by) REFERENCES users (id),
	CONSTRAINT fk_model_evidence_model_id_model_registry FOREIGN KEY(model_id) REFERENCES model_registry (id) ON DELETE CASCADE,
	CONSTRAINT fk_model_evidence_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id),
	CONSTRAINT uq_model_evidence_model_id_kind_source UNIQUE (model_id, kind, source)
);

CREATE INDEX ix_model_evidence_model_id_kind_id ON model_evidence (model_id, kind, id);

CREATE INDEX ix_model_evidence_project_id ON model_evidence (project_id);

CREATE TABLE model_files (
	id INTEGER NOT NULL,
	model_id INTEGER NOT NULL,
	path VARCHAR(500) NOT NULL,
	storage_key VARCHAR(1024) NOT NULL,
	sha256 VARCHAR(64) NOT NULL,
	size_bytes BIGINT NOT NULL,
	project_id INTEGER NOT NULL,
	created_by INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	CONSTRAINT pk_model_files PRIMARY KEY (id),
	CONSTRAINT fk_model_files_created_by_users FOREIGN KEY(created_by) REFERENCES users (id),
	CONSTRAINT fk_model_files_model_id_model_registry FOREIGN KEY(model_id) REFERENCES model_registry (id) ON DELETE CASCADE,
	CONSTRAINT fk_model_files_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id),
	CONSTRAINT uq_model_files_model_id_path UNIQUE (model_id, path)
);

CREATE INDEX ix_model_files_project_id ON model_files (project_id);

CREATE TABLE finetuning_jobs (
	id INTEGER NOT NULL,
	job_name VARCHAR(200) NOT NULL,
	base_model VARCHAR(1024) NOT NULL,
	dataset_id INTEGER,
	method VARCHAR(20) NOT NULL,
	hyperparameters JSON NOT NULL,
	recipe JSON NOT NULL,
	status VARCHAR(20) NOT NULL,
	progress DOUBLE NOT NULL,
	current_step INTEGER NOT NULL,
	total_steps INTEGER,
	eta_seconds DOUBLE,
	message TEXT,
	mlflow_run_id VARCHAR(64),
	error_type VARCHAR(40),
	error_code VARCHAR(100),
	error_message TEXT,
	error_hint TEXT,
	resumed BOOLEAN NOT NULL,
	resume_from VARCHAR(1024),
	figures JSON,
	graph JSON NOT NULL,
	warnings JSON NOT NULL,
	started_at DATETIME,
	completed_at DATETIME,
	project_id INTEGER NOT NULL,
	created_by INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL, archived_at DATETIME,
	CONSTRAINT pk_finetuning_jobs PRIMARY KEY (id),
	CONSTRAINT fk_finetuning_jobs_created_by_users FOREIGN KEY(created_by) REFERENCES users (id),
	CONSTRAINT fk_finetuning_jobs_dataset_id_training_datasets FOREIGN KEY(dataset_id) REFERENCES training_datasets (id),
	CONSTRAINT fk_finetuning_jobs_id_jobs FOREIGN KEY(id) REFERENCES jobs (id) ON DELETE CASCADE,
	CONSTRAINT fk_finetuning_jobs_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id)
);

CREATE INDEX ix_finetuning_jobs_dataset_id ON finetuning_jobs (dataset_id);

CREATE INDEX ix_finetuning_jobs_job_name ON finetuning_jobs (job_name);

CREATE INDEX ix_finetuning_jobs_project_id ON finetuning_jobs (project_id);

CREATE INDEX ix_finetuning_jobs_project_id_id ON finetuning_jobs (project_id, id);

CREATE INDEX ix_finetuning_jobs_status_id ON finetuning_jobs (status, id);

CREATE TABLE model_evaluations (
	id INTEGER NOT NULL,
	model_id INTEGER,
	job_id INTEGER NOT NULL,
	dataset_id INTEGER,
	metrics JSON NOT NULL,
	evaluator INTEGER NOT NULL,
	answers_key VARCHAR(1024),
	project_id INTEGER NOT NULL,
	created_by INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	CONSTRAINT pk_model_evaluations PRIMARY KEY (id),
	CONSTRAINT fk_model_evaluations_created_by_users FOREIGN KEY(created_by) REFERENCES users (id),
	CONSTRAINT fk_model_evaluations_evaluator_users FOREIGN KEY(evaluator) REFERENCES users (id),
	CONSTRAINT fk_model_evaluations_job_id_jobs FOREIGN KEY(job_id) REFERENCES jobs (id),
	CONSTRAINT fk_model_evaluations_model_id_model_registry FOREIGN KEY(model_id) REFERENCES model_registry (id) ON DELETE CASCADE,
	CONSTRAINT fk_model_evaluations_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id),
	CONSTRAINT uq_model_evaluations_job_id UNIQUE (job_id)
);

CREATE INDEX ix_model_evaluations_model_id_id ON model_evaluations (model_id, id);

CREATE INDEX ix_model_evaluations_project_id ON model_evaluations (project_id);

CREATE TABLE model_exports (
	id INTEGER NOT NULL,
	model_id INTEGER,
	source TEXT NOT NULL,
	job_id INTEGER NOT NULL,
	format VARCHAR(20) NOT NULL,
	method VARCHAR(20) NOT NULL,
	status VARCHAR(20) NOT NULL,
	storage_key VARCHAR(1024) NOT NULL,
	files JSON NOT NULL,
	size_bytes BIGINT NOT NULL,
	sha256 VARCHAR(64) NOT NULL,
	certificate JSON NOT NULL,
	project_id INTEGER NOT NULL,
	created_by INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	CONSTRAINT pk_model_exports PRIMARY KEY (id),
	CONSTRAINT fk_model_exports_created_by_users FOREIGN KEY(created_by) REFERENCES users (id),
	CONSTRAINT fk_model_exports_job_id_jobs FOREIGN KEY(job_id) REFERENCES jobs (id),
	CONSTRAINT fk_model_exports_model_id_model_registry FOREIGN KEY(model_id) REFERENCES model_registry (id) ON DELETE CASCADE,
	CONSTRAINT fk_model_exports_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id),
	CONSTRAINT uq_model_exports_job_id_format_method UNIQUE (job_id, format, method)
);

CREATE INDEX ix_model_exports_model_id_id ON model_exports (model_id, id);

CREATE INDEX ix_model_exports_project_id ON model_exports (project_id);

CREATE TABLE training_checkpoints (
	id INTEGER NOT NULL,
	job_id INTEGER NOT NULL,
	attempt INTEGER NOT NULL,
	step INTEGER NOT NULL,
	epoch DOUBLE,
	path VARCHAR(1024) NOT NULL,
	metrics JSON NOT NULL,
	size_bytes INTEGER NOT NULL,
	is_best BOOLEAN NOT NULL,
	created_at DATETIME NOT NULL, is_kept BOOLEAN DEFAULT 0 NOT NULL, verified BOOLEAN DEFAULT 1 NOT NULL,
	CONSTRAINT pk_training_checkpoints PRIMARY KEY (id),
	CONSTRAINT fk_training_checkpoints_job_id_finetuning_jobs FOREIGN KEY(job_id) REFERENCES finetuning_jobs (id) ON DELETE CASCADE,
	CONSTRAINT uq_training_checkpoints_job_id_path UNIQUE (job_id, path)
);

CREATE INDEX ix_training_checkpoints_job_id_step ON training_checkpoints (job_id, step);

CREATE TABLE training_points (
	job_id INTEGER NOT NULL,
	step INTEGER NOT NULL,
	attempt INTEGER NOT NULL,
	epoch DOUBLE,
	loss DOUBLE,
	eval_loss DOUBLE,
	learning_rate DOUBLE,
	grad_norm DOUBLE,
	tokens_per_second DOUBLE,
	memory_gb DOUBLE,
	at DATETIME NOT NULL, figures JSON,
	CONSTRAINT pk_training_points PRIMARY KEY (job_id, step),
	CONSTRAINT fk_training_points_job_id_finetuning_jobs FOREIGN KEY(job_id) REFERENCES finetuning_jobs (id) ON DELETE CASCADE
);

CREATE TABLE column_mappings (
	id INTEGER NOT NULL,
	columns_sha256 VARCHAR(64) NOT NULL,
	format VARCHAR(40) NOT NULL,
	mapping JSON NOT NULL,
	project_id INTEGER NOT NULL,
	created_by INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	CONSTRAINT pk_column_mappings PRIMARY KEY (id),
	CONSTRAINT fk_column_mappings_created_by_users FOREIGN KEY(created_by) REFERENCES users (id),
	CONSTRAINT fk_column_mappings_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id),
	CONSTRAINT uq_column_mappings_project_id_columns_sha256_format UNIQUE (project_id, columns_sha256, format)
);

CREATE INDEX ix_column_mappings_project_id ON column_mappings (project_id);

CREATE TABLE uploads (
	id INTEGER NOT NULL,
	file_name VARCHAR(255) NOT NULL,
	size_bytes BIGINT NOT NULL,
	received_bytes BIGINT NOT NULL,
	sha256 VARCHAR(64),
	state VARCHAR(20) NOT NULL,
	file_path VARCHAR(1024),
	expires_at DATETIME NOT NULL,
	project_id INTEGER NOT NULL,
	created_by INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	CONSTRAINT pk_uploads PRIMARY KEY (id),
	CONSTRAINT fk_uploads_created_by_users FOREIGN KEY(created_by) REFERENCES users (id),
	CONSTRAINT fk_uploads_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id)
);

CREATE INDEX ix_uploads_expires_at ON uploads (expires_at);

CREATE INDEX ix_uploads_project_id ON uploads (project_id);

CREATE INDEX ix_uploads_state ON uploads (state);

CREATE TABLE recipes (
	id INTEGER NOT NULL,
	name VARCHAR(200) NOT NULL,
	description TEXT NOT NULL,
	recipe JSON NOT NULL,
	project_id INTEGER NOT NULL,
	created_by INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	CONSTRAINT pk_recipes PRIMARY KEY (id),
	CONSTRAINT fk_recipes_created_by_users FOREIGN KEY(created_by) REFERENCES users (id),
	CONSTRAINT fk_recipes_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id),
	CONSTRAINT uq_recipes_project_id_name UNIQUE (project_id, name)
);

CREATE INDEX ix_recipes_project_id ON recipes (project_id);

CREATE TABLE resource_samples (
	id INTEGER NOT NULL,
	host VARCHAR(200) NOT NULL,
	at DATETIME NOT NULL,
	usage JSON NOT NULL,
	CONSTRAINT pk_resource_samples PRIMARY KEY (id)
);

CREATE INDEX ix_resource_samples_host_at ON resource_samples (host, at);

CREATE UNIQUE INDEX ux_jobs_device_held ON jobs (device) WHERE state IN ('running', 'stopping');

CREATE TABLE tracking_outbox (
	id INTEGER NOT NULL,
	job_id INTEGER NOT NULL,
	tracker VARCHAR(20) NOT NULL,
	is_open BOOLEAN NOT NULL,
	event_offset INTEGER NOT NULL,
	model_ids JSON NOT NULL,
	run_id VARCHAR(64),
	url VARCHAR(1024),
	points INTEGER NOT NULL,
	skipped_points INTEGER NOT NULL,
	refusals INTEGER NOT NULL,
	message TEXT,
	try_at DATETIME NOT NULL,
	lease_until DATETIME,
	delivered_at DATETIME,
	CONSTRAINT pk_tracking_outbox PRIMARY KEY (id),
	CONSTRAINT fk_tracking_outbox_job_id_finetuning_jobs FOREIGN KEY(job_id) REFERENCES finetuning_jobs (id) ON DELETE CASCADE,
	CONSTRAINT uq_tracking_outbox_job_id_tracker UNIQUE (job_id, tracker)
);

CREATE INDEX ix_tracking_outbox_tracker_is_open_try_at ON tracking_outbox (tracker, is_open, try_at);

CREATE TABLE gguf_conversions (
	id INTEGER NOT NULL,
	job_id INTEGER NOT NULL,
	model TEXT NOT NULL,
	methods JSON NOT NULL,
	uses_importance BOOLEAN NOT NULL,
	source_bytes BIGINT NOT NULL,
	project_id INTEGER NOT NULL,
	created_by INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	CONSTRAINT pk_gguf_conversions PRIMARY KEY (id),
	CONSTRAINT fk_gguf_conversions_created_by_users FOREIGN KEY(created_by) REFERENCES users (id),
	CONSTRAINT fk_gguf_conversions_job_id_jobs FOREIGN KEY(job_id) REFERENCES jobs (id),
	CONSTRAINT fk_gguf_conversions_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id)
);

CREATE INDEX ix_gguf_conversions_created_by_id ON gguf_conversions (created_by, id);

CREATE INDEX ix_gguf_conversions_project_id ON gguf_conversions (project_id);

CREATE TABLE chat_conversations (
	id INTEGER NOT NULL,
	title VARCHAR(200) NOT NULL,
	model VARCHAR(1000),
	adapter VARCHAR(1000),
	system_prompt TEXT,
	parameters JSON NOT NULL,
	overflow VARCHAR(20) NOT NULL,
	summary TEXT,
	summary_turn_id INTEGER,
	current_turn_id INTEGER,
	project_id INTEGER NOT NULL,
	created_by INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	CONSTRAINT pk_chat_conversations PRIMARY KEY (id),
	CONSTRAINT fk_chat_conversations_created_by_users FOREIGN KEY(created_by) REFERENCES users (id),
	CONSTRAINT fk_chat_conversations_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id)
);

CREATE INDEX ix_chat_conversations_created_by_id ON chat_conversations (created_by, id);

CREATE INDEX ix_chat_conversations_project_id ON chat_conversations (project_id);

CREATE TABLE chat_turns (
	id INTEGER NOT NULL,
	conversation_id INTEGER NOT NULL,
	parent_id INTEGER,
	role VARCHAR(20) NOT NULL,
	content TEXT NOT NULL,
	reasoning TEXT,
	status VARCHAR(20) NOT NULL,
	finish_reason VARCHAR(20),
	model VARCHAR(1000),
	parameters JSON,
	prompt_tokens INTEGER,
	completion_tokens INTEGER,
	context_length INTEGER,
	dropped_turns INTEGER,
	seconds FLOAT,
	error JSON,
	rating VARCHAR(10),
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	CONSTRAINT pk_chat_turns PRIMARY KEY (id),
	CONSTRAINT fk_chat_turns_conversation_id_chat_conversations FOREIGN KEY(conversation_id) REFERENCES chat_conversations (id) ON DELETE CASCADE,
	CONSTRAINT fk_chat_turns_parent_id_chat_turns FOREIGN KEY(parent_id) REFERENCES chat_turns (id) ON DELETE CASCADE
);

CREATE INDEX ix_chat_turns_conversation_id ON chat_turns (conversation_id);

CREATE INDEX ix_chat_turns_parent_id ON chat_turns (parent_id);

CREATE TABLE hub_tokens (
	id INTEGER NOT NULL,
	sealed TEXT NOT NULL,
	project_id INTEGER NOT NULL,
	created_by INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	CONSTRAINT pk_hub_tokens PRIMARY KEY (id),
	CONSTRAINT fk_hub_tokens_created_by_users FOREIGN KEY(created_by) REFERENCES users (id),
	CONSTRAINT fk_hub_tokens_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id)
);

CREATE INDEX ix_hub_tokens_project_id ON hub_tokens (project_id);

INSERT INTO alembic_version (version_num) VALUES ('0010');
