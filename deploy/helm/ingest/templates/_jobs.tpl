{{/* Environments of what runs once. Hooks cannot ask the ConfigMap: it is made after them. */}}

{{- define "ingest.migrateEnv" -}}
{{ include "common.databaseVariable" (dict "root" . "hook" true "key" .Values.database.migrateUrlKey) }}
- name: LOG_LEVEL
  value: {{ .Values.logLevel }}
- name: MIGRATE_TIMEOUT
  value: {{ .Values.migrate.timeoutSeconds | int }}s
{{- end -}}

{{/* The stream waits four transactions for an answer, and hands out four batches: `run` refuses less. */}}
{{- define "ingest.setupEnv" -}}
- name: LOG_LEVEL
  value: {{ .Values.logLevel }}
- name: NATS_URL
  value: {{ .Values.nats.url | quote }}
- name: PARTITIONS
  value: {{ .Values.partitions | int | quote }}
- name: REPLICAS
  value: {{ .Values.stream.replicas | int | quote }}
- name: MAX_BYTES
  value: {{ mul 1073741824 (.Values.stream.maxGibibytes | int64) | quote }}
- name: ACK_WAIT
  value: {{ mul 4 (.Values.writeTimeoutSeconds | int) }}s
- name: MAX_ACK_PENDING
  value: {{ mul 4 (.Values.batchSize | int) | quote }}
- name: SETUP_TIMEOUT
  value: {{ .Values.setup.timeoutSeconds | int }}s
{{- with include "ingest.natsEnv" (dict "root" . "seed" "admin.nk") }}
{{ . }}
{{- end }}
{{- end -}}

{{- define "ingest.verifyEnv" -}}
{{ include "common.databaseVariable" (dict "root" .) }}
- name: LOG_LEVEL
  value: {{ .Values.logLevel }}
- name: NATS_URL
  value: {{ .Values.nats.url | quote }}
- name: PARTITIONS
  value: {{ .Values.partitions | int | quote }}
{{- with include "ingest.natsEnv" (dict "root" . "seed" "admin.nk") }}
{{ . }}
{{- end }}
{{- end -}}

{{- define "ingest.verifyFiles" -}}
{{- include "common.databaseFiles" . }}
{{- include "ingest.natsFiles" (dict "root" . "seeds" (list "admin.nk")) }}
{{- end -}}

{{- define "ingest.verifyMounts" -}}
{{- include "common.databaseMounts" . }}
{{- include "ingest.natsMounts" . }}
{{- end -}}
